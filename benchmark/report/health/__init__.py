"""Which metric columns to trust: table, section of the page, correlations between columns."""
