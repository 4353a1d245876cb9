"""Verdicts on claims: each is declared in a file before looking, and judged by the scores of trained networks.

May import: errors, toolkit, components, statistics, store, report, listing.
Needs no torch.
"""
