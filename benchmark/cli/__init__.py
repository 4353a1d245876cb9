"""The command line: a command is read, handed to what does the work, and what comes back is printed.

May import: errors, toolkit, components, lipschitz, engine, store, report, html_page, listing, request, runs, contract.
"""

from .entry import commands, main

__all__ = ["commands", "main"]
