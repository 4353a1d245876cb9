"""One colour and one dash for each method, the same in all figures of a run and on its page."""

from __future__ import annotations

from collections.abc import Collection, Iterable

COLOURS = (
    "#0072b2", "#d55e00", "#009e73", "#c964a3", "#e0a000", "#56a5e0", "#7b4bc4", "#a3213f",
    "#805018", "#78b048", "#b00898", "#8090f8", "#704870", "#d82830", "#a09058", "#c098c8",
    "#a86858", "#608038", "#e868d8", "#f87880", "#1870f0", "#909828", "#485090", "#f83878",
    "#206040", "#b01878", "#8088c0", "#008898", "#a850b8", "#e88848", "#a05800", "#c06040",
    "#70b088", "#c01860", "#3048c8", "#a82010", "#9078f8", "#186088", "#90b068", "#a06088",
)  # fmt: skip
"""Forty colours that can be seen on white and on near black.

The first eight are after Okabe & Ito 2008, Color Universal Design. Each later one is the colour farthest from all
before it and from grey, for the eye that confuses the two the most: of full colour vision and of the three deficiencies
as Machado et al. 2009 (doi:10.1109/TVCG.2009.113) simulate them.
"""

DASHES: tuple[tuple[int, ...], ...] = ((), (6, 2), (2, 2), (8, 2, 2, 2))
"""Lengths of strokes and gaps, in widths of the line; nothing is a solid line."""

_EVERY = 10
"""Methods with the same dash, before the next one."""

DARKEST, LIGHTEST = 0x60, 0xA8
"""The greys of controls lie between these."""


def colours(methods: Iterable[str], controls: Collection[str] = ()) -> dict[str, str]:
    """A colour ``#rrggbb`` for each method; controls are grey.

    They depend on the set of names alone: give it all methods of the run, also where few of them are drawn. From the
    41st method on colours come again, with another dash.
    """
    judged, grey = _parted(methods, controls)
    step = (LIGHTEST - DARKEST) / max(len(grey) - 1, 1)
    shades = (round(DARKEST + step * place) for place in range(len(grey)))
    return {
        **{name: COLOURS[place % len(COLOURS)] for place, name in enumerate(judged)},
        **{name: f"#{shade:02x}{shade:02x}{shade:02x}" for name, shade in zip(grey, shades, strict=True)},
    }


def dashes(methods: Iterable[str], controls: Collection[str] = ()) -> dict[str, tuple[int, ...]]:
    """A dash for each method, one of :data:`DASHES`: another one after every ten methods, and for each control."""
    judged, grey = _parted(methods, controls)
    turns = (place // _EVERY + place // len(COLOURS) for place in range(len(judged)))
    return {
        **{name: DASHES[turn % len(DASHES)] for name, turn in zip(judged, turns, strict=True)},
        **{name: DASHES[place % len(DASHES)] for place, name in enumerate(grey)},
    }


def _parted(methods: Iterable[str], controls: Collection[str]) -> tuple[list[str], list[str]]:
    """The methods that are judged and the controls, each sorted."""
    names = sorted(set(methods))
    return [name for name in names if name not in controls], [name for name in names if name in controls]
