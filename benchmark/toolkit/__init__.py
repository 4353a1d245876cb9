"""What components may use: random numbers, pixels, top pixels, attacks, data, files, checks.

May import: errors.
"""
