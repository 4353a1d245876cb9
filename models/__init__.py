"""Architectures, and an entry for each trained network; weights with their cards are in ``weights``.

May import: errors, toolkit, components.decorators, components.kinds, models.training.
"""
