"""The columns of a run's tables, in their order."""

LABEL = ["dataset", "model", "method", "metric", "settings", "perturbation"]
"""What names a row of a leaderboard."""

CELLS = [
    "key", *LABEL, "family", "metric_family", "method_settings", "model_version", "method_version",
    "metric_version", "perturbation_version", "weights", "samples", "reference", "control", "status", "note", "n",
    "seconds", "forward", "backward",
]  # fmt: skip
"""``cells.csv``: one row for each planned cell."""

SCORES = [
    "dataset", "sample", "model", "family", "method", "metric", "settings", "perturbation", "score", "weight",
    "target", "label", "correct", "seed", "metric_version", "metric_family", "higher_is_better",
    "across_models",
]  # fmt: skip
"""``scores.parquet``: one row for each sample of each metric column of each finished cell."""

CURVES = [*LABEL, "curve", "fraction", "mean"]
"""``curves.csv``: one row for each point of each mean curve."""

WORDS = [
    "dataset", "model", "family", "method", "metric", "settings", "perturbation", "metric_family",
    "higher_is_better",
]  # fmt: skip
"""Columns of the scores that repeat a few words, and are stored as such."""
