"""Ranges of settings: what they refuse, in which words, and that the checks for plug-ins say the same."""

from __future__ import annotations

from math import inf, nan
from typing import Annotated, Literal

import numpy as np
import pytest
import torch
from annotated_types import Ge, Gt, Interval, Le, Lt, Predicate
from xaiboard.benchmark.errors import SettingError
from xaiboard.benchmark.toolkit.checks import at_least, positive, radius
from xaiboard.benchmark.toolkit.ranges import MOST, Count, Positive, ProperShare, Radius, Share, read_range
from xaiboard.benchmark.toolkit.top_pixels import PixelCount

CASES = [
    (Count, "at least 1", [1, 7], {0: "at least 1", -1: "at least 1", nan: "at least 1"}),
    (Count, "at least 1", [], {inf: "at least 1 and finite", -inf: "at least 1"}),
    (Positive, "positive", [1e-9, 3.0], {0.0: "positive", nan: "positive", inf: "finite", -inf: "positive"}),
    (Share, "above 0 and at most 1", [0.1, 1.0], dict.fromkeys((0.0, 1.1, nan, inf), "above 0 and at most 1")),
    (ProperShare, "above 0 and below 1", [0.1, 0.9], dict.fromkeys((0.0, 1.0, nan), "above 0 and below 1")),
    (Radius, "0 to 1", [0.0, 1.0], dict.fromkeys((-0.1, 1.5, nan, inf), "from 0 to 1, the range of a pixel")),
    (Annotated[int, Interval(ge=1, le=95)], "1 to 95", [1, 95], dict.fromkeys((0, 96), "from 1 to 95")),
    (Annotated[float, Gt(2)], "above 2", [2.5], {2.0: "above 2", inf: "above 2 and finite"}),
    (Annotated[float, Le(2)], "at most 2", [2.0, -9.0], dict.fromkeys((2.5, nan, inf, -inf), "at most 2")),
    (
        Annotated[float, Ge(0), Lt(1)], "at least 0 and below 1", [0.0, 0.9],
        {-0.1: "at least 0", 1.0: "below 1", inf: "at least 0 and finite", nan: "at least 0"},
    ),
    (
        Annotated[float, Interval(gt=0, le=inf)], "greater than 0", [0.1, inf],
        dict.fromkeys((0.0, -1.0, nan), "greater than 0"),
    ),
    (Annotated[float, Interval(ge=0, le=inf)], "at least 0", [0.0, inf], {-1.0: "at least 0"}),
    (
        PixelCount, "at least 1 and whole (a number of pixels) or between 0 and 1 (a share of them)", [0.2, 1.0, 100.0],
        dict.fromkeys(
            (0.0, -1.0, 1.5, nan, inf),
            "at least 1 and whole (a number of pixels) or between 0 and 1 (a share of them)",
        ),
    ),
]  # fmt: skip


@pytest.mark.parametrize(("annotation", "text", "inside", "outside"), CASES)
def test_a_value_outside_is_refused_in_words(
    annotation: object, text: str, inside: list[float], outside: dict[float, str]
) -> None:
    allowed = read_range(annotation)
    assert allowed.text == text
    for value in inside:
        allowed.check("owner", "s", value)
    for value, wanted in outside.items():
        with pytest.raises(SettingError) as caught:
            allowed.check("owner", "s", value)
        assert str(caught.value) == f"setting 's' of 'owner' must be {wanted}; got '{value:g}'"


def test_a_count_ends_at_a_million() -> None:
    """A range that has an end of its own does not, and neither does a number that is no count."""
    for annotation in (Count, Annotated[int, Gt(0)]):
        read_range(annotation).check("owner", "s", MOST)
        with pytest.raises(SettingError) as caught:
            read_range(annotation).check("owner", "s", 10**12)
        said = "setting 's' of 'owner' must be at most 1000000, as every count; got '1000000000000'"
        assert str(caught.value) == said
    for annotation in (Annotated[int, Interval(ge=0, le=10**15)], Annotated[int, Le(10**15)], Positive, int):
        read_range(annotation).check("owner", "s", 1e12 if annotation is Positive else 10**12)


def test_a_range_may_allow_none() -> None:
    allowed = read_range(Share | None)
    allowed.check("owner", "s", None)
    allowed.check("owner", "s", 0.5)
    assert allowed.text == "above 0 and at most 1"
    for value in (0, "word"):
        with pytest.raises(SettingError, match=f"must be a number above 0 and at most 1; got '{value}'"):
            allowed.check("owner", "s", value)
    with pytest.raises(SettingError, match="must be above 0 and at most 1; got 'None'"):
        read_range(Share).check("owner", "s", None)


@pytest.mark.parametrize("annotation", [float, "float", int | None, Literal["a"], Annotated[int, "a text"]])
def test_without_a_range_everything_is_allowed(annotation: object) -> None:
    allowed = read_range(annotation)
    assert allowed.text == ""
    for value in (-1, inf, nan, None, "word"):
        allowed.check("owner", "s", value)


def test_numbers_of_libraries_are_numbers() -> None:
    for one in (np.float32(0.5), np.float64(0.5), torch.tensor(0.5)):
        read_range(Share).check("owner", "s", one)
    with pytest.raises(SettingError, match="got '2'"):
        read_range(Share).check("owner", "s", np.int64(2))


def test_a_predicate_without_docstring_is_named() -> None:
    assert read_range(Annotated[str, Predicate(str.islower)]).text.startswith("return True if the string is")

    def even(value: int) -> bool:
        return value % 2 == 0

    with pytest.raises(SettingError, match="setting 's' of 'owner' must be even; got '3'"):
        read_range(Annotated[int, Predicate(even)]).check("owner", "s", 3)


@pytest.mark.parametrize(
    ("refused", "said"),
    [
        (lambda: at_least(2, "mine", draws=1), "setting 'draws' of 'mine' must be at least 2; got '1'"),
        (lambda: at_least(0, "mine", a=1.0, b=inf), "setting 'b' of 'mine' must be at least 0 and finite; got 'inf'"),
        (lambda: at_least(0, "mine", sigma=nan), "setting 'sigma' of 'mine' must be at least 0; got 'nan'"),
        (lambda: positive("mine", sigma=0.0), "setting 'sigma' of 'mine' must be positive; got '0'"),
        (lambda: positive("mine", sigma=inf), "setting 'sigma' of 'mine' must be finite; got 'inf'"),
        (lambda: radius("mine", 2.0), "setting 'eps' of 'mine' must be from 0 to 1, the range of a pixel; got '2'"),
    ],
)  # fmt: skip
def test_checks_for_plug_ins_say_the_same(refused: object, said: str) -> None:
    assert callable(refused)
    with pytest.raises(SettingError) as caught:
        refused()
    assert str(caught.value) == said


def test_checks_for_plug_ins_let_the_rest_pass() -> None:
    at_least(1, "mine", steps=1, draws=2)
    positive("mine", sigma=0.1)
    radius("mine", 1.0)
