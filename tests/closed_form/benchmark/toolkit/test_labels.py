"""Names as text: what is written is what is read back."""

from __future__ import annotations

import math

import pytest
from xaiboard.benchmark.toolkit.labels import (
    Label,
    MetricColumn,
    join_settings,
    read_label,
    read_metric_column,
    read_settings,
    setting_number,
    setting_text,
)

TEXTS = ["saliency", "deletion[baseline=mean,steps=28]", "topk_attack[k=100,eps=0.1,other=cnn.standard]"]


@pytest.mark.parametrize("text", TEXTS)
def test_a_label_is_written_as_it_was_read(text: str) -> None:
    assert str(read_label(text)) == text


def test_the_parts_of_a_label() -> None:
    assert read_label("deletion[baseline=mean,steps=28]") == Label(
        "deletion", {"baseline": "mean", "steps": "28"}
    )
    assert read_label("shift[]") == read_label("shift") == Label("shift", {})
    assert read_settings("other=,keep=recall") == {"other": "", "keep": "recall"}
    assert read_settings("") == {}


@pytest.mark.parametrize("text", ["gini", "lens_recall.chance"])
def test_a_metric_column_is_written_as_it_was_read(text: str) -> None:
    assert str(read_metric_column(text)) == text


def test_the_parts_of_a_metric_column() -> None:
    assert read_metric_column("lens_recall.chance") == MetricColumn("lens_recall", "chance")
    assert read_metric_column("gini") == MetricColumn("gini", "") == MetricColumn("gini")


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.1, "0.1"),
        (100.0, "100"),
        (1 / 3, str(1 / 3)),
        (True, "true"),
        (None, "None"),
        (28, "28"),
        ("mean", "mean"),
    ],
)
def test_text_of_a_setting(value: object, text: str) -> None:
    assert setting_text(value) == text
    assert join_settings({"name": value}) == f"name={text}"


def test_a_setting_as_a_number() -> None:
    settings = {"eps": "0.1", "k": "100", "baseline": "mean"}
    assert setting_number(settings, "eps") == 0.1
    assert setting_number(settings, "k") == 100
    assert math.isnan(setting_number(settings, "baseline"))
    assert math.isnan(setting_number(settings, "window"))
