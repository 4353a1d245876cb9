"""Computes cells: plan, values of one model, batches, passes, runner.

May import: errors, toolkit, components, subjects, lipschitz, store.
"""
