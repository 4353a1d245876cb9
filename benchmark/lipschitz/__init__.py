"""Lipschitz constants of networks: bounds, slopes, the audit.

May import: errors, toolkit, components, subjects.
"""
