"""What components may use: random numbers, pixels, top pixels, attacks, data, files, ranges of settings.

May import: errors.
"""
