"""How the networks are trained: recipes, loop, objectives, cards.

May import: errors, toolkit, components, subjects, lipschitz.
"""
