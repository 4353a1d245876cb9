"""Figures that need networks: counterfactuals, and maps of perturbed images.

May import: errors, toolkit, components, subjects, engine, report.
"""
