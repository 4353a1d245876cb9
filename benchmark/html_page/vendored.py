"""The libraries inside the page: read from the files beside this one, and replaced from their releases.

``python -m xaiboard.benchmark.html_page.vendored`` replaces them; it needs npm.
"""

from __future__ import annotations

import json
import subprocess
import tarfile
from hashlib import sha256
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

FOLDER = Path(__file__).with_name("vendored")
LIST = FOLDER / "vendored.json"

_WANTED: tuple[dict[str, Any], ...] = (
    {
        "name": "tabulator-tables",
        "version": "6.5.3",
        "files": {
            "dist/js/tabulator.min.js": "tabulator.min.js",
            "dist/css/tabulator.min.css": "tabulator.min.css",
        },
    },
    {"name": "d3", "version": "7.9.2", "files": {"dist/d3.min.js": "d3.min.js"}},
    {"name": "@observablehq/plot", "version": "0.6.17", "files": {"dist/plot.umd.min.js": "plot.min.js"}},
)
"""What the page uses, in the order in which it must run."""


def libraries() -> list[dict[str, Any]]:
    """Name, version, licence and the SHA-256 of each file, by library, in the order in which they must run."""
    return json.loads(LIST.read_text("utf-8"))


def texts(suffix: str) -> list[str]:
    """The texts of all files with that suffix, in order; a map of sources, which is not there, is not named."""
    names = [name for one in libraries() for name in one["files"] if name.endswith(suffix)]
    return [
        "\n".join(
            line
            for line in (FOLDER / name).read_text("utf-8").splitlines()
            if not line.startswith(("//# sourceMappingURL", "/*# sourceMappingURL"))
        )
        for name in names
    ]


def update() -> None:
    """Fetches the releases that :data:`_WANTED` names, and writes their files, licences and the list of both."""
    found = []
    with TemporaryDirectory() as folder:
        for one in _WANTED:
            wanted = f"{one['name']}@{one['version']}"
            packed = subprocess.run(  # noqa: S603 - the names above, and no shell
                ["npm", "pack", "--silent", wanted], cwd=folder, check=True, capture_output=True, text=True  # noqa: S607
            ).stdout.strip()  # fmt: skip
            with tarfile.open(Path(folder, packed)) as archive:
                inside = {
                    name: archive.extractfile(f"package/{name}").read()  # pyright: ignore[reportOptionalMemberAccess]
                    for name in (*one["files"], "LICENSE", "package.json")
                }
            short = one["name"].rpartition("/")[2]
            kept = {own: inside[theirs] for theirs, own in one["files"].items()}
            kept[f"{short}.LICENSE"] = inside["LICENSE"]
            for name, content in kept.items():
                (FOLDER / name).write_bytes(content)
            found.append(
                {
                    "name": one["name"],
                    "version": one["version"],
                    "licence": json.loads(inside["package.json"])["license"],
                    "files": {name: sha256(content).hexdigest() for name, content in kept.items()},
                }
            )
    LIST.write_text(json.dumps(found, indent=1) + "\n", "utf-8")


if __name__ == "__main__":
    update()
