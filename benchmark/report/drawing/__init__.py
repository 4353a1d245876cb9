"""Draws: sheets, panels, texts and colours, and the figures of tables that are made of them.

May import: toolkit, store.
Needs no torch.
"""
