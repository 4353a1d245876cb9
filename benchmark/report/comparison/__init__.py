"""Compares one method or model with others, column by column: is it better, and would more samples tell?"""
