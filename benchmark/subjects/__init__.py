"""What is measured: loads data sets and trained models by name, and computes the digests that identify them.

May import: errors, toolkit, components.
"""
