"""Carries one request out: planned, computed, its tables and maps written.

May import: errors, toolkit, components, subjects, engine, executors, store, pictures, report, claims, html_page, request.
"""  # noqa: E501 - one line, which a test reads
