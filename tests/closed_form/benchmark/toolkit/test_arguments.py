"""Arguments against annotations: what is refused, what is passed on, and in which words."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pytest
from torch import Tensor
from xaiboard.benchmark.errors import XaiboardError
from xaiboard.benchmark.toolkit.arguments import checked, shown

if TYPE_CHECKING:
    from xaiboard.benchmark.toolkit.data import Data as Unknown


@checked
def function(
    whole: int = 0,
    *,
    real: float = 0.0,
    text: str | None = None,
    flag: bool = False,
    word: Literal["a", "b"] = "a",
    path: str | Path = "",
    texts: Sequence[str] = (),
    numbers: Mapping[str, int] | None = None,
    many: str | Iterable[Any] = (),
    call: Callable[..., Any] = print,
    tensor: Tensor | None = None,
    anything: Any = None,  # noqa: ANN401
    unknown: Unknown | None = None,
    **settings: object,
) -> dict[str, object]:
    return dict(locals())


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"whole": "a"}, "'whole' of function() must be a whole number; got 'a'"),
        ({"whole": True}, "'whole' of function() must be a whole number; got True"),
        ({"whole": 1.0}, "'whole' of function() must be a whole number; got 1.0"),
        ({"real": "1"}, "'real' of function() must be a number; got '1'"),
        ({"real": False}, "'real' of function() must be a number; got False"),
        ({"text": 3}, "'text' of function() must be a text or None; got 3"),
        ({"text": b"a"}, "'text' of function() must be a text or None; got a bytes"),
        ({"flag": 1}, "'flag' of function() must be True or False; got 1"),
        ({"word": "c"}, "'word' of function() must be 'a' or 'b'; got 'c'"),
        ({"path": None}, "'path' of function() must be a text or a pathlib Path; got None"),
        ({"texts": "ab"}, "'texts' of function() must be a list whose items are each a text; got 'ab'"),
        ({"texts": [1]}, "'texts' of function() must be a list whose items are each a text; got [1]"),
        ({"numbers": {"a": "b"}}, "'numbers' of function() must be a mapping or None; got {'a': 'b'}"),
        ({"many": 3}, "'many' of function() must be a text or a list; got 3"),
        ({"call": 3}, "'call' of function() must be a function; got 3"),
        (
            {"tensor": np.zeros(2)},
            "'tensor' of function() must be a torch Tensor or None; got a numpy.ndarray",
        ),
    ],
)
def test_what_is_refused(given: dict[str, Any], words: str) -> None:
    with pytest.raises(XaiboardError) as caught:
        function(**given)
    assert str(caught.value) == words


@pytest.mark.parametrize(
    "given",
    [{"whole": 3}, {"real": 3}, {"real": np.float32(0.5)}, {"text": None}, {"word": "b"}, {"path": Path("a")},
     {"texts": ["a"]}, {"texts": ("a", "b")}, {"numbers": {"a": 1}}, {"many": (i for i in "ab")}, {"many": "ab"},
     {"call": len}, {"anything": b"a"}, {"unknown": 3}, {"setting": b"a"}],
    ids=lambda given: next(iter(given)),
)  # fmt: skip
def test_what_is_passed_on(given: dict[str, Any]) -> None:
    name, value = next(iter(given.items()))
    passed = function(**given)
    settings: Any = passed["settings"]
    assert {**passed, **settings}[name] is value


def test_whole_numbers_of_numpy_become_python_s() -> None:
    of_numpy: Any = np.int64(3)
    assert type(function(of_numpy)["whole"]) is int


def test_a_generator_is_not_used_up() -> None:
    many: Any = function(many=(i for i in "ab"))["many"]
    assert list(many) == ["a", "b"]


def test_the_function_keeps_its_name_and_documentation() -> None:
    assert function.__name__ == "function"


def test_wrong_numbers_of_arguments() -> None:
    @checked
    def two(x: int, y: int) -> int:
        return x + y

    wrong: Any = two
    assert wrong(1, y=2) == 3
    for call, words in (
        (lambda: wrong(1), "two() missing a required argument: 'y'; it takes: x, y"),
        (lambda: wrong(1, 2, 3), "two() too many positional arguments; it takes: x, y"),
        (lambda: wrong(1, z=2), "two() missing a required argument: 'y'; it takes: x, y"),
        (lambda: wrong(1, 2, z=2), "two() got an unexpected keyword argument 'z'; it takes: x, y"),
    ):
        with pytest.raises(XaiboardError) as caught:
            call()
        assert str(caught.value) == words


def test_an_error_of_the_function_itself_is_not_changed() -> None:
    @checked
    def broken(x: int) -> int:
        raise TypeError("mine")

    with pytest.raises(TypeError, match="mine"):
        broken(1)


def test_what_is_shown_is_one_short_line() -> None:
    assert shown("a\nb") == r"'a\nb'"
    assert shown([1, 2]) == "[1, 2]"
    assert len(shown("x" * 1000)) < 70
    assert shown(object()) == "a object"
