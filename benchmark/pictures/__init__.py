"""Figures that need maps, which they compute: galleries and counterfactuals.

May import: errors, toolkit, components, subjects, engine, report.
"""
