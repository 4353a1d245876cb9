"""What is measured: data sets and trained models by name, and the digests that identify them.

May import: errors, toolkit, components.
"""
