"""``run.json``: the conditions under which a run's cells were computed, and the seal of its other files."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from ..errors import XaiboardError
from ..toolkit.files import write_file
from .damage import DamagedError
from .sealed_json import parse_sealed, sealed_text

FILE = "run.json"

OUTPUTS = "outputs"
"""The part that says what networks and functions computed, see :mod:`.known_outputs`."""

LICENCE = "license"
"""The part that says under which licence a copy is published, as it is spelled in catalogues of data."""

DIGESTS = ("files", "earlier", "cells")
"""The parts of a seal that are digests by name."""

SCHEMA = 1
"""Version of the files of a run; raised when they change their meaning."""


@dataclass(frozen=True)
class Seal:
    """Digests by which the files of a run are known to be as they were written.

    Args:
        files: SHA-256 of each file by name.
        earlier: SHA-256 that a file had before the one in ``files``; it is there while tables are being replaced, so
            that those of a process that was killed meanwhile are known too.
        cells: digest of each finished cell's scores by key, see :func:`~.cell_digests.cell_digests`.
        unverified: names of files, and keys of cells, that were sealed as they were found: nothing had shown that they
            were as they had been written.
    """

    files: Mapping[str, str] = field(default_factory=dict)
    earlier: Mapping[str, str] = field(default_factory=dict)
    cells: Mapping[str, str] = field(default_factory=dict)
    unverified: Sequence[str] = ()

    def known(self, name: str) -> set[str]:
        """The digests that a file may have."""
        return {of[name] for of in (self.files, self.earlier) if name in of}


@dataclass(frozen=True)
class RunFile:
    """What ``run.json`` says.

    Args:
        conditions: schema version, seed, target, dtype, number of samples.
        seal: None in folders that versions before 0.3 wrote.
    """

    conditions: Mapping[str, Any]
    seal: Seal | None

    @property
    def text(self) -> str:
        """What the file holds."""
        if self.seal is None:
            return json.dumps(self.conditions, indent=1) + "\n"
        seal = asdict(self.seal)
        if not self.seal.unverified:  # the file is then as it was before there were such marks
            del seal["unverified"]
        return sealed_text({**self.conditions, "seal": seal})


def read_run(folder: Path) -> RunFile | None:
    """What ``run.json`` says; None where there is none.

    Raises:
        DamagedError: it is not as it was written, or no file of ours.
    """
    path = folder / FILE
    if not path.exists():
        return None
    advice = f"restore it; where records are left, 'xaiboard leaderboard {folder}' makes it anew"
    content, sealed = parse_sealed(path, advice)
    seal = content.pop("seal", None)
    if not isinstance(content.get("schema"), int):
        raise DamagedError(path, "it names no schema version", advice)
    if sealed != isinstance(seal, dict):
        raise DamagedError(path, "it has a seal or a digest without the other", advice)
    if not isinstance(content.get(OUTPUTS, {}), dict):
        raise DamagedError(path, f"its '{OUTPUTS}' are no object", advice)
    if not isinstance(seal, dict):
        return RunFile(content, None)
    unverified = seal.pop("unverified", [])
    if not isinstance(unverified, list) or not all(isinstance(name, str) for name in unverified):
        raise DamagedError(path, "its seal has no names as 'unverified'", advice)
    parts = {name: seal.get(name, {}) for name in DIGESTS}
    if wrong := [name for name, part in parts.items() if not _holds_texts(part)]:
        raise DamagedError(path, f"its seal has no digests as '{wrong[0]}'", advice)
    return RunFile(content, Seal(**parts, unverified=tuple(unverified)))


def _holds_texts(part: object) -> bool:
    """Whether it is an object all of whose values are texts."""
    return isinstance(part, dict) and all(isinstance(value, str) for value in part.values())


def write_run(folder: Path, run: RunFile) -> None:
    """Replaces ``run.json``."""
    write_file(folder / FILE, lambda path: path.write_text(run.text, "utf-8"))


def check_schema(folder: Path) -> None:
    """Refuses files of another version.

    Raises:
        XaiboardError: the folder was written by another version of these files, or ``run.json`` is damaged.
    """
    run = read_run(folder)
    if run is not None and run.conditions["schema"] != SCHEMA:
        raise XaiboardError(
            f"'{folder}' has schema version {run.conditions['schema']}, this xaiboard reads and writes {SCHEMA};"
            " give another folder with --out, or use the version that wrote it"
        )


def check_conditions(run: RunFile, wanted: Mapping[str, object], folder: Path, advice: str) -> None:
    """Refuses a run under other conditions.

    Raises:
        XaiboardError: it is.
    """
    for name, value in wanted.items():
        found = run.conditions.get(name, value)
        if found != value:
            raise XaiboardError(f"'{folder}' holds a run with {name} {found}, this one has {value}; {advice}")
