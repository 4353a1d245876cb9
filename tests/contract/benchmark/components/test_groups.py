"""Groups of settings: a frozen dataclass stands for its fields; ranges and meanings are read where it is declared."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any, Literal

import numpy as np
import pytest
import torch
import xaiboard.benchmark as xb
from annotated_types import Ge, Interval
from torch import Tensor
from xaiboard.benchmark.components.choice import choose
from xaiboard.benchmark.components.decorators import make_method, make_metric
from xaiboard.benchmark.components.docstrings import meanings_of_arguments
from xaiboard.benchmark.errors import SettingError, XaiboardError
from xaiboard.benchmark.toolkit.ranges import Share


@dataclass(frozen=True)
class Walk:
    """How to walk.

    Args:
        steps: number of
            steps.
        eps: radius of the ball: in units of ``x``.
    """

    steps: Annotated[int, Ge(1)] = 3
    eps: Annotated[float, Interval(ge=0, le=1)] = 0.5
    way: Literal["up", "down"] = "up"


@dataclass(frozen=True)
class LongWalk(Walk):
    """A walk with pauses.

    Args:
        eps: radius, again.
        pauses: number of pauses.
    """

    pauses: int = 0


@dataclass
class Loose:
    """Not frozen."""

    steps: int = 3


@dataclass(frozen=True)
class Nested:
    """A group in a group."""

    walk: Walk = Walk()


@dataclass(frozen=True)
class OfTarget:
    """A group with the name of what the suite supplies."""

    target: int = 0


SEEN: list[Walk] = []


def walked(x: Tensor, *, k: int = 7, walk: Walk = Walk(eps=0.25), share: Share | None = None) -> Tensor:
    """Walks.

    Args:
        x: inputs.
        k: number of pixels.
        walk: how to walk.
        share: of the pixels.
    """
    SEEN.append(walk)
    return x + k * walk.steps


def test_a_group_stands_for_its_fields_in_their_order() -> None:
    entry = make_method(walked)
    assert list(entry.settings) == ["k", "steps", "eps", "way", "share"]
    assert choose(entry).settings_text == "k=7,steps=3,eps=0.25,way=up,share=None"
    assert entry.settings["way"].choices == ("up", "down")
    assert choose(entry, {"eps": "1", "way": "down"}).label == "walked[eps=1,way=down]"
    assert json.dumps(choose(entry).identity["settings"]) == (
        '{"k": 7, "steps": 3, "eps": 0.25, "way": "up", "share": null}'
    )


def test_the_function_receives_the_group() -> None:
    entry, x = make_method(walked), torch.zeros(2, 1, 3, 3)
    entry(x=x)
    assert SEEN[-1] == Walk(eps=0.25)
    assert entry(x=x, steps=5, k=2).unique().tolist() == [10]
    assert SEEN[-1] == Walk(5, 0.25)
    chosen = choose(entry, {"eps": "0.75", "way": "down"})
    entry.compute({"x": x}, chosen.settings)
    assert SEEN[-1] == Walk(3, 0.75, "down")


def test_a_group_inherits_fields_and_what_is_said_of_them() -> None:
    def long(x: Tensor, *, walk: LongWalk = LongWalk()) -> Tensor:
        return x

    settings = make_method(long).settings
    assert list(settings) == ["steps", "eps", "way", "pauses"]
    assert [each.meaning for each in settings.values()] == [
        "number of steps.", "radius, again.", "", "number of pauses."
    ]  # fmt: skip
    assert settings["steps"].range == "at least 1"


def test_ranges_and_meanings_are_told() -> None:
    settings = make_method(walked).settings
    assert {name: (each.range, each.meaning) for name, each in settings.items()} == {
        "k": ("", "number of pixels."),
        "steps": ("at least 1", "number of steps."),
        "eps": ("0 to 1", "radius of the ball: in units of ``x``."),
        "way": ("", ""),
        "share": ("above 0 and at most 1", "of the pixels."),
    }


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"steps": 0}, "setting 'steps' of 'walked' must be at least 1; got '0'"),
        ({"steps": "0"}, "setting 'steps' of 'walked' must be at least 1; got '0'"),
        ({"eps": "nan"}, "setting 'eps' of 'walked' must be from 0 to 1; got 'nan'"),
        ({"share": 0}, "setting 'share' of 'walked' must be a number above 0 and at most 1; got '0'"),
        ({"share": "much"}, "setting 'share' of 'walked' must be a number above 0 and at most 1; got 'much'"),
    ],
)
def test_a_value_out_of_range_is_refused_before_anything_is_computed(given: dict, said: str) -> None:
    entry = make_method(walked)
    seen = len(SEEN)
    for refused in (lambda: choose(entry, given), lambda: entry(x=torch.zeros(1, 2), **given)):
        with pytest.raises(SettingError) as caught:
            refused()
        assert str(caught.value) == said
    assert len(SEEN) == seen


def test_calls_by_keyword_read_settings_as_selections_do() -> None:
    entry, x = make_method(walked), torch.zeros(1, 2)
    with pytest.raises(XaiboardError, match=r"'steps' of 'walked' must be int, as in steps=3; got '1\.5'"):
        entry(x=x, steps=1.5)
    with pytest.raises(XaiboardError, match="'way' of 'walked' must be one of up, down; got 'left'"):
        entry(x=x, way="left")
    entry(x=x, steps=np.int64(4), eps=np.float64(0.125))
    assert SEEN[-1] == Walk(4, 0.125)
    assert type(SEEN[-1].steps) is int
    entry(x=x, eps=1)
    assert type(SEEN[-1].eps) is float


def test_the_same_refusal_for_metrics_with_shared_values(mlp: torch.nn.Module) -> None:
    x = torch.rand(2, 1, 8, 8)
    given = {"model": mlp, "x": x, "target": torch.tensor([0, 1]), "attribution": x}
    with pytest.raises(SettingError, match="setting 'steps' of 'deletion' must be at least 2; got '1'"):
        xb.metrics["deletion"](**given, steps=1)


def brightness(x: Tensor, *, steps: Annotated[int, Ge(1)] = 9, eps: float = 0.0) -> Tensor:
    return x.flatten(1).sum(1) * steps + eps


def paced(x: Tensor, *, walk: Walk = Walk()) -> Tensor:
    return x.flatten(1).sum(1) * walk.steps


def test_shared_values_take_settings_by_their_flat_names() -> None:
    def scored(brightness: Tensor, paced: Tensor, *, walk: Walk = Walk()) -> Tensor:
        return brightness + 100 * paced + 10 * walk.steps

    entry = make_metric(scored, shared=[brightness, paced])
    x = torch.ones(1, 2)
    assert entry(x=x).tolist() == [2 * 3 + 0.5 + 600 + 30]
    assert entry(x=x, steps=1, eps=0.0).tolist() == [2 + 200 + 10]


def test_two_settings_of_one_name_are_refused() -> None:
    def twice(x: Tensor, *, eps: float = 0.1, walk: Walk = Walk()) -> Tensor:
        return x

    def also_supplied(target: Tensor, *, of: OfTarget = OfTarget()) -> Tensor:
        return target

    with pytest.raises(XaiboardError, match="method 'twice' has two parameters named 'eps'; rename one"):
        make_method(twice)
    with pytest.raises(XaiboardError, match="method 'also_supplied' has two parameters named 'target'"):
        make_method(also_supplied)


def loose(x: Tensor, *, walk: Loose = Loose()) -> Tensor:
    return x


def nested(x: Tensor, *, walk: Nested = Nested()) -> Tensor:
    return x


def out_of_range(x: Tensor, *, walk: Walk = Walk(steps=0)) -> Tensor:
    return x


def a_class(x: Tensor, *, walk: Any = Walk) -> Tensor:  # noqa: ANN401
    return x


@pytest.mark.parametrize(
    ("function", "said"),
    [
        (loose, r"method 'loose': the group of settings 'walk' must be a frozen dataclass.*dataclass\(frozen=True\)"),
        (nested, "method 'nested': the default of setting 'walk' must be a number"),
        (out_of_range, "setting 'steps' of 'out_of_range' must be at least 1; got '0'"),
        (a_class, "method 'a_class': the default of setting 'walk' must be a number"),
    ],
)  # fmt: skip
def test_groups_that_cannot_be_read_are_refused_at_import(function: Callable, said: str) -> None:
    with pytest.raises(XaiboardError, match=said):
        make_method(function)


def test_annotations_for_type_checkers_alone_hide_nothing_else() -> None:
    """Positional parameters are not evaluated, so that names that exist for type checkers only do no harm."""
    scope: dict[str, Any] = {"Annotated": Annotated, "Ge": Ge, "dataclass": dataclass, "__name__": __name__}
    exec(  # noqa: S102
        "from __future__ import annotations\n"
        "def typed(x: Unknown, *, steps: Annotated[int, Ge(1)] = 3) -> Unknown:\n    return x\n"
        "def lost(x, *, steps: Unknown = 3):\n    return x\n"
        "@dataclass(frozen=True)\nclass Group:\n    steps: Unknown = 3\n"
        "def grouped(x, *, group=Group()):\n    return x\n",
        scope,
    )
    assert make_method(scope["typed"]).settings["steps"].range == "at least 1"
    for name in ("lost", "grouped"):
        assert make_method(scope[name]).settings["steps"].range == ""


def test_arguments_are_read_from_docstrings() -> None:
    def documented() -> None:
        """First line.

        Args:
            one: its text,
                that goes on: here.
            two: another.

        Returns:
            three: no argument.
        """

    assert meanings_of_arguments(documented) == {"one": "its text, that goes on: here.", "two": "another."}
    assert meanings_of_arguments(lambda: None) == {}


@pytest.mark.parametrize("kind", ["methods", "metrics", "perturbations"])
def test_every_setting_of_a_built_in_component_has_a_meaning(kind: str) -> None:
    for name, entry in getattr(xb, kind).items():
        if entry.function.__module__.startswith("xaiboard."):
            assert all(setting.meaning for setting in entry.settings.values()), name
