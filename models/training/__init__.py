"""Trains the networks: recipes, objectives, the loop with its checkpoints, and the cards that state the result.

May import: errors, toolkit, components, subjects, lipschitz.
"""
