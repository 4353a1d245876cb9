"""The ranges of built-in metrics as the store knows them without torch are those that they declare."""

from __future__ import annotations

from math import inf

import xaiboard.benchmark as xb
from xaiboard.benchmark.store.builtin_ranges import FILE, builtin_range
from xaiboard.benchmark.toolkit.files import read_json
from xaiboard.benchmark.toolkit.labels import MetricColumn


def test_the_store_knows_what_the_metrics_declare() -> None:
    """Run ``xaiboard list --write`` after a change of a metric."""
    declared = {
        MetricColumn(entry.name, name): entry.column(name).range
        for entry in xb.metrics.values()
        for name in ("", *entry.columns)
    }
    assert {column: builtin_range(column) for column in declared} == declared
    assert all(
        builtin_range(column, str(xb.metrics[column.metric].version)) == of for column, of in declared.items()
    )
    assert set(read_json(FILE)) == set(map(str, declared))


def test_columns_of_others_have_no_bounds() -> None:
    assert builtin_range(MetricColumn("own", "part")) == (-inf, inf)
