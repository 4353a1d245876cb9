"""What can be plugged in: kinds of components, decorators, registries, patterns, plug-ins, suites.

May import: errors, toolkit.
Needs no torch.
"""
