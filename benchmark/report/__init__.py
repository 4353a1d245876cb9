"""From cells and scores to leaderboards, figures of tables, and the page.

May import: errors, toolkit, statistics, store.
Needs no torch.
"""
