"""What several data sets use: files, archives, arrays."""
