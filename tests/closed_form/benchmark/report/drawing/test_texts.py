"""Texts in figures: their lines fit, and what is pushed apart moves as little as can be."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.optimize import minimize
from xaiboard.benchmark.report.drawing.texts import shorten, spread, text_width, wrap

NAMES = ["saliency", "blurred[of=integrated_gradients]", "counterfactual_direction", "x" * 40, "a b", "$"]


@pytest.mark.parametrize("width", [0.3, 0.66, 5.0])
@pytest.mark.parametrize("name", NAMES)
def test_lines_fit_and_lose_nothing(name: str, width: float) -> None:
    lines = wrap(name, width, 7)
    assert max(text_width(line, 7) for line in lines) <= width
    assert "".join(lines).replace(" ", "") == name.replace(" ", "")


def test_names_break_after_their_signs_and_sentences_between_words() -> None:
    assert wrap("blurred[of=integrated_gradients]", 0.66, 6) == ["blurred[of=", "integrated_", "gradients]"]
    assert wrap("saliency[abs=true]", 0.6, 6) == ["saliency", "[abs=true]"]
    assert wrap("the maps of both", 0.55, 7, breaks=" ") == ["the maps", "of both"]


@pytest.mark.parametrize("name", NAMES)
def test_a_shortened_name_keeps_its_ends(name: str) -> None:
    shown = shorten(name, 0.7, 7)
    assert text_width(shown, 7) <= 0.7
    assert shown == name if text_width(name, 7) <= 0.7 else (shown[0], shown[-1]) == (name[0], name[-1])


@pytest.mark.parametrize("seed", range(3))
def test_places_are_the_nearest_ones_that_are_apart(seed: int) -> None:
    """Against a general solver of the same problem."""
    wanted = np.sort(np.random.default_rng(seed).random(6))
    found = spread(list(wanted), 0.15, 0.05, 0.95)
    gaps = {"type": "ineq", "fun": lambda x: np.diff(x) - 0.15}
    best = minimize(
        lambda x: ((x - wanted) ** 2).sum(),
        np.linspace(0.05, 0.95, 6),
        bounds=[(0.05, 0.95)] * 6,
        constraints=[gaps],
        options={"ftol": 1e-14},
    )
    assert np.diff(found).min() >= 0.15 - 1e-12
    np.testing.assert_allclose(found, best.x, atol=1e-4)


def test_places_that_are_apart_stay() -> None:
    np.testing.assert_allclose(spread([0.1, 0.5, 0.9], 0.2, 0, 1), [0.1, 0.5, 0.9])
    assert len(spread([], 0.2, 0, 1)) == 0
    np.testing.assert_allclose(spread([5, 5, 5], 1, 0, 1), [0, 1, 2])  # no room for all
