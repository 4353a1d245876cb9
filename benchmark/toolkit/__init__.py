"""What components may use: random numbers, pixels, top pixels, attacks, data, preprocessing, files, ranges of settings.

May import: errors.
"""
