"""``report.html``: one file in which people look at a run, sort it, compare, and see the maps; opens without a network.

May import: errors, toolkit, statistics, store, report, claims, listing.
Needs no torch.
"""
