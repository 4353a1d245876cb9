"""Architectures, and an entry for each trained network; ``weights`` holds their weights, each with a card.

May import: errors, toolkit, components.decorators, components.kinds, models.training.
"""
