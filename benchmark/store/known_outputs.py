"""What networks and functions computed when the scores of a folder were made.

``run.json`` has it, by what computed it. It is not lost with that file: each part also stands beside the records, in a
file whose name holds the digest of its text, and each record names in its provenance the parts that it belongs to.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path
from typing import Any

from ..toolkit.files import parse_object, require_regular, write_once, writing
from .damage import DamagedError
from .noted import note
from .records import Store
from .run_file import OUTPUTS, read_run


def read_known_outputs(folder: Path) -> dict[str, Any]:
    """Outputs by what computed them; none in a folder that version 0.2 or an earlier one wrote.

    Raises:
        DamagedError: ``run.json`` or a file beside the records is not as it was written.
    """
    run = read_run(folder)
    return {**recorded_outputs(folder), **(run.conditions.get(OUTPUTS, {}) if run else {})}


def salvaged_outputs(folder: Path) -> dict[str, Any]:
    """The same, also where ``run.json`` is damaged: a run makes it anew from the records, or refuses the folder."""
    try:
        return read_known_outputs(folder)
    except DamagedError:
        return recorded_outputs(folder)


def recorded_outputs(folder: Path) -> dict[str, Any]:
    """Outputs by what computed them, as the files beside the records have them.

    Raises:
        DamagedError: a file is not as it was written.
    """
    return dict(read_part(path) for path in part_files(Store(folder)))


def note_outputs(store: Store, outputs: Mapping[str, Any]) -> None:
    """Adds outputs to those that are known in the folder of a run; those of the same name are replaced.

    Raises:
        XaiboardError: the file is damaged or cannot be written.
    """
    note(store, OUTPUTS, lambda known: {**(known or {}), **outputs})
    if not store.records.is_dir():
        return
    with writing(store.folder):
        for name, part in outputs.items():
            text = _text(name, part)
            write_once(part_path(store, _digest(text)), lambda path, text=text: path.write_bytes(text))


def part_digest(name: str, part: Mapping[str, Any]) -> str:
    """16 hexadecimal digits, by which a record names the outputs of a network or function."""
    return _digest(_text(name, part))


def part_files(store: Store) -> list[Path]:
    """The files beside the records that hold outputs."""
    return sorted(store.records.glob(part_path(store, "?" * 16).name))


def part_path(store: Store, digest: str) -> Path:
    """The file that holds the outputs with that :func:`part_digest`."""
    return store.records / f"outputs-{digest}.json"


def read_part(path: Path) -> tuple[str, dict[str, Any]]:
    """What computed the outputs in one of these files, and the outputs.

    Raises:
        DamagedError: it is not as it was written.
    """
    try:
        require_regular(path)
        text = path.read_bytes()
        if path.stem != f"outputs-{_digest(text)}":
            raise ValueError("its text does not fit the digest in its name")
        content = parse_object(text)
        return str(content["of"]), content["outputs"]
    except (OSError, ValueError, KeyError) as error:
        advice = "delete it and run again: what is not known elsewhere is computed anew"
        raise DamagedError(path, error, advice) from None


def _text(name: str, part: Mapping[str, Any]) -> bytes:
    return json.dumps({"of": name, "outputs": part}, sort_keys=True, separators=(",", ":")).encode()


def _digest(text: bytes) -> str:
    return sha256(text).hexdigest()[:16]
