"""Makes ``report.html``: one file with its data, its libraries and its policy inside."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from functools import cache
from hashlib import sha256
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..report.results import Results
from ..store.seal import seal_files
from ..toolkit.files import write_file
from .claims import rows_of
from .content import content
from .packing import pack
from .vendored import libraries, texts

if TYPE_CHECKING:
    import pandas as pd

PAGE = "report.html"
CLAIMS_PAGE = "claims.html"

_HERE = Path(__file__).parent

_LOADER = ("unpack", "load")
"""The scripts that unpack and run the others."""

_SCRIPTS = (
    "unpack", "elements", "tips", "grid", "paper", "state", "board_data", "overview", "leaderboard", "compare",
    "samples", "figures", "tables", "claims", "main",
)  # fmt: skip
"""The page's own scripts, in the order in which they must run."""


def write_report(results: Results) -> Path:
    """Writes and seals the page of a run.

    Returns:
        its path.
    """
    text = make_report(results)
    path = results.folder / PAGE
    write_file(path, lambda temporary: temporary.write_text(text, "utf-8"))
    seal_files(results.folder, [PAGE])
    return path


def make_report(results: Results) -> str:
    """The page as HTML; the same results give the same bytes."""
    shown = content(results)
    return _page(shown, _about(shown))


def write_claims_page(claims: pd.DataFrame, parts: pd.DataFrame, path: Path) -> Path:
    """Writes a page of verdicts alone: of claims that no single run decides.

    Args:
        claims: as in ``claims.csv``.
        parts: as in ``claims_parts.csv``.
        path: where.
    """
    rows = rows_of(claims, parts)
    about = f"{len(rows['claims'])} claims of {claims['paper'].nunique()} papers"
    run = {"name": "Do the claims hold here?", "version": version("xaiboard"), "digest": ""}
    text = _page({"run": run, "claims": rows}, about)
    write_file(path, lambda temporary: temporary.write_text(text, "utf-8"))
    return path


def _page(shown: dict[str, Any], about: str) -> str:
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    run = shown["run"]
    environment = Environment(loader=FileSystemLoader(_HERE), undefined=StrictUndefined, autoescape=True)
    return environment.get_template("template.html.j2").render(
        title=run["name"],
        about=about,
        version=run["version"],
        digest=run["digest"],
        vendored=libraries(),
        content=pack(shown),
        **_fixed(),
    )


@cache
def _fixed() -> dict[str, str]:
    """What is the same on every page: scripts, styles, libraries, and the policy that knows them."""
    from markupsafe import Markup

    loader = _joined(_LOADER)
    scripts = [*texts(".js"), _joined(_SCRIPTS)]
    styles = [*texts(".css"), (_HERE / "style.css").read_text("utf-8")]
    return {
        "policy": _policy([loader, *scripts]),
        "scripts": pack({"scripts": scripts}),
        # Nothing of a run is in these two, which are files of ours; its content is base64.
        "styles": Markup("\n".join(styles)),  # noqa: S704
        "loader": Markup(loader),  # noqa: S704
    }


def _joined(names: Sequence[str]) -> str:
    """Some of the page's own scripts as one, whose names nothing else on the page sees."""
    own = "\n".join((_HERE / "script" / f"{name}.js").read_text("utf-8") for name in names)
    return f'(() => {{\n"use strict";\n{own}\n}})();'


def _about(shown: dict[str, Any]) -> str:
    names, samples = shown["names"], shown["run"]["samples"]
    data = ", ".join(f"{samples[name]} images of {name}" for name in names["datasets"])
    counts = [
        (len(names["models"]), "models"),
        (len(names["methods"]), "methods"),
        (len(names["columns"]), "columns"),
    ]
    return f"{data}; " + ", ".join(f"{count} {word}" for count, word in counts)


def _policy(scripts: list[str]) -> str:
    """What a browser may run and load: these scripts and nothing else, and nothing from anywhere."""
    digests = " ".join(
        f"'sha256-{base64.b64encode(sha256(text.encode()).digest()).decode()}'" for text in scripts
    )
    rules = [
        "default-src 'none'",
        f"script-src {digests}",
        "style-src 'unsafe-inline'",
        "img-src data:",
        "base-uri 'none'",
        "form-action 'none'",
    ]
    return "; ".join(rules)
