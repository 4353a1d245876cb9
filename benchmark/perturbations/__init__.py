"""Perturbations: one a file; helpers are in ``shared``.

May import: errors, toolkit, components.decorators, components.kinds.
"""
