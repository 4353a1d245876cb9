"""Carries one request out: planned, computed, its tables and maps written.

May import: errors, toolkit, components, subjects, engine, store, pictures, report, claims, html_page, request.
"""
