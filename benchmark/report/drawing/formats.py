"""The formats of figures: a PNG is always drawn, another one beside it where it is asked for."""

from __future__ import annotations

from pathlib import Path

FORMATS = ("png", "svg", "pdf")
"""Suffixes of the files that a figure can be written to."""


def figure_names(folder: Path) -> list[str]:
    """Names of the figures in a folder, sorted; files of another format count that have the name of a PNG."""
    drawn = {path.stem for path in folder.glob("*.png")}
    return sorted(path.name for kind in FORMATS for path in folder.glob(f"*.{kind}") if path.stem in drawn)


def formats_of(folder: Path, figures: str = "png") -> list[str]:
    """The formats in which figures are drawn: PNG, the given one, and those of which the folder has figures."""
    present = {Path(name).suffix[1:] for name in figure_names(folder)}
    return [kind for kind in FORMATS if kind in {"png", figures} | present]
