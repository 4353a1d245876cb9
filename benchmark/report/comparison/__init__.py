"""Compares one method or model with others, column by column: better or not, and would more samples tell."""
