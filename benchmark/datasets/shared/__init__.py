"""Helpers of data sets: where files are, how archives and folders are read, how arrays become data, the digits."""
