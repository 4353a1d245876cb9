"""The colours of methods: the same each time, apart also for people who do not see all colours, controls grey."""

from __future__ import annotations

from itertools import combinations

import numpy as np
from xaiboard.benchmark.report.drawing.palette import COLOURS, colours, dashes

METHODS = [f"method{place:02}" for place in range(40)]
CONTROLS = ["random", "sobel"]

XYZ = np.array(
    [[0.4124564, 0.3575761, 0.1804375], [0.2126729, 0.7151522, 0.0721750], [0.0193339, 0.1191920, 0.9503041]]
)

SEEN = {
    "by most": np.eye(3),
    "without red cones": np.array(
        [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]]
    ),
    "without green cones": np.array(
        [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]]
    ),
    "without blue cones": np.array(
        [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.303900]]
    ),
}
"""What linear red, green and blue are seen as; Machado et al. 2009, table 1, severity 1."""


def linear(colour: str) -> np.ndarray:
    value = np.array([int(colour[at : at + 2], 16) for at in (1, 3, 5)]) / 255
    return np.where(value <= 0.04045, value / 12.92, ((value + 0.055) / 1.055) ** 2.4)


def lab(colour: str, seen: np.ndarray) -> np.ndarray:
    """CIE 1976 L*a*b* under daylight (D65)."""
    x, y, z = XYZ @ (seen @ linear(colour)).clip(0, 1) / [0.95047, 1, 1.08883]
    f = [np.cbrt(v) if v > 216 / 24389 else (24389 / 27 * v + 16) / 116 for v in (x, y, z)]
    return np.array([116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])])


def nearest(some: tuple[str, ...]) -> float:
    """The least difference between two colours, for the eye that sees the least of it; 2.3 can just be seen."""
    return min(
        float(np.linalg.norm(lab(one, seen) - lab(other, seen)))
        for seen in SEEN.values()
        for one, other in combinations(some, 2)
    )


def test_colours_are_apart_for_every_eye() -> None:
    assert nearest(COLOURS[:8]) > 8.9
    assert nearest(COLOURS) > 6.5


def test_colours_can_be_seen_on_white_and_on_black() -> None:
    luminance = np.array([XYZ[1] @ linear(colour) for colour in COLOURS])
    assert (1.05 / (luminance + 0.05)).min() > 2.2
    assert ((luminance + 0.05) / 0.05).min() > 2.2


def test_names_alone_decide() -> None:
    names = [*METHODS, *CONTROLS]
    assert colours(names, CONTROLS) == colours(reversed(names), set(CONTROLS))
    assert colours(METHODS[:9])["method03"] == colours(names, CONTROLS)["method03"]
    assert len(set(colours(METHODS).values())) == len(METHODS)
    assert {"method09": (), "method10": (6, 2)}.items() <= dashes(METHODS).items()


def test_more_methods_than_colours_have_other_dashes() -> None:
    names = [f"method{place:03}" for place in range(160)]
    looks = set(zip(colours(names).values(), dashes(names).values(), strict=True))
    assert len(looks) == len(names)


def test_controls_are_grey_and_nothing_else_is() -> None:
    grey = [
        name
        for name, colour in colours([*METHODS, *CONTROLS], CONTROLS).items()
        if len(set(linear(colour))) == 1
    ]
    assert grey == CONTROLS
    assert len(set(colours(CONTROLS, CONTROLS).values())) == len(CONTROLS)
