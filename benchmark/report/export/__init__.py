"""A leaderboard, or a part of it, for papers and other programs: LaTeX, Markdown, CSV, Parquet; Croissant metadata."""
