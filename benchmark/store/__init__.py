"""The files of a run: write-once records, and the tables that are made of them.

May import: errors, toolkit.
Needs no torch.
"""

from .records import Store

__all__ = ["Store"]
