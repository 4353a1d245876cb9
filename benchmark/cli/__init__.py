"""The command line: a command is read, handed to what does the work, and what comes back is printed.

May import: errors, toolkit, components, lipschitz, engine, store, report, claims, html_page, listing, request, runs, contract.
"""  # noqa: E501 - the promise is one line

from .entry import commands, main

__all__ = ["commands", "main"]
