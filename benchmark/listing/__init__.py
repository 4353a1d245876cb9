"""What ``xaiboard list`` and ``--dry-run`` print; built-in components come from a generated catalogue.

May import: errors, toolkit, components.
Needs no torch.
"""
