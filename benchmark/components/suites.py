"""Suites: named selections of components, one TOML file each; the path of a file of your own works as well."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from pathlib import Path

from ..errors import XaiboardError, unknown

FOLDER = Path(__file__).parents[1] / "suites"

CLAIMS = FOLDER / "claims.toml"
"""Lies among the suites, and is none: what is claimed of their scores."""

_KEYS = {
    "description": str,
    "dataset": str,
    "models": str,
    "methods": str,
    "metrics": str,
    "perturbations": str,
    "samples": int,
}


def names() -> list[str]:
    """Names of the suites that come with the package."""
    return sorted(path.stem for path in FOLDER.glob("*.toml") if path != CLAIMS)


def read(name: str) -> Mapping[str, str | int]:
    """The selections of a suite: ``models``, ``methods``, … as patterns, ``dataset``, and the number of ``samples``.

    Args:
        name: name of a suite that comes with the package, or path of a ``.toml`` file.


    Raises:
        XaiboardError: an unknown suite, or a file with unknown or missing keys or with values of the wrong type.
    """
    path = Path(name) if name.endswith(".toml") else FOLDER / f"{name}.toml"
    try:
        if not path.is_file() or (not name.endswith(".toml") and name not in names()):
            raise unknown("suite", name, names())
        suite = tomllib.loads(path.read_text("utf-8"))
    except OSError as error:
        raise XaiboardError(
            f"suite '{name[:80]}' cannot be read ({error.strerror}); name another file"
        ) from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, RecursionError) as error:
        raise XaiboardError(f"suite '{path}' is not TOML: {error}") from None
    for key, value in suite.items():
        if (
            key not in _KEYS
            or type(value) is not _KEYS[key]
            or value in (0, "")
            or (key == "samples" and value < 0)
        ):
            known = ", ".join(f"{name} ({kind.__name__})" for name, kind in _KEYS.items())
            raise XaiboardError(f"suite '{path}' has {key} = {value!r}; it may have: {known}")
    missing = {"dataset", "models", "metrics", "samples"} - set(suite)
    if missing:
        raise XaiboardError(
            f"suite '{path}' lacks '{min(missing)}'; it names dataset, models, metrics and samples, and methods unless"
            " its metrics judge models alone"
        )
    return suite
