"""Whether the files of a run were made of what is there now: then they need not be made again."""

from __future__ import annotations

import json
from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path

from ..toolkit.files import write_file
from .damage import DamagedError
from .records import Store
from .run_file import FILE as RUN
from .run_file import read_run
from .seal import mismatch
from .sealed_json import read_sealed, sealed_text

FILE = "made.json"
"""In the folder of records: what the files were made of, as a digest, and what was said of them."""

SAID = "said"


def is_current(store: Store, made_of: Mapping[str, object]) -> bool:
    """Whether records, settings and code are those of which the files were made, and every file is as it was written.

    Args:
        store: of the run.
        made_of: what else the files depend on; JSON can hold it.
    """
    known = _read(store.folder)
    if not known or known.get("made") != _digest(store, made_of):
        return False
    run = read_run(store.folder)
    seal = run.seal if run else None
    return seal is not None and all(
        mismatch(store.folder / name, seal.known(name)) is None for name in seal.files
    )


def note_made(store: Store, made_of: Mapping[str, object]) -> None:
    """Notes of what the files in the folder have just been made."""
    _write(store.folder, {"made": _digest(store, made_of)})


def read_said(folder: Path) -> str:
    """What was said of the files when they were made; empty where nothing was."""
    return str(_read(folder).get(SAID, ""))


def note_said(folder: Path, text: str) -> None:
    """Notes what is said of the files, beside what they were made of."""
    if known := _read(folder):
        _write(folder, {**known, SAID: text})


def _digest(store: Store, made_of: Mapping[str, object]) -> str:
    """Digest of ``run.json``, of the size and time of each record and plan, and of the rest."""
    records = [
        (path.name, path.stat().st_size, path.stat().st_mtime_ns)
        for path in sorted(store.records.iterdir())
        if path.name != FILE and not path.name.startswith(".")
    ]
    run = store.folder / RUN
    parts = [sha256(run.read_bytes()).hexdigest() if run.is_file() else "", records, made_of]
    return sha256(json.dumps(parts, sort_keys=True, default=str).encode()).hexdigest()


def _read(folder: Path) -> dict[str, object]:
    path = folder / "records" / FILE
    try:
        return dict(read_sealed(path, folder)) if path.is_file() else {}
    except DamagedError:  # then the files are made again
        return {}


def _write(folder: Path, content: Mapping[str, object]) -> None:
    text = sealed_text(content)
    write_file(folder / "records" / FILE, lambda path: path.write_text(text, "utf-8"))
