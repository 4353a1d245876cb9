"""Engines: places where processes other than this one do work, each a file; they know nothing of what the work is.

May import: errors, toolkit, components.
"""
