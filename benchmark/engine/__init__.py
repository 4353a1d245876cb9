"""Computes scores: plans cells, supplies components with values, runs batches, counts passes, writes records.

May import: errors, toolkit, components, subjects, lipschitz, store.
"""
