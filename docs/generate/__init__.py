"""A Sphinx extension: a line ``<!-- generated: NAME -->`` of a page becomes what the code says of itself."""

from __future__ import annotations

import re
from functools import partial
from typing import TYPE_CHECKING

from .command_page import command_page
from .component_pages import component_page, suites_page
from .files_page import files_page
from .python_page import python_page

if TYPE_CHECKING:
    from sphinx.application import Sphinx

PAGES = {
    **{
        kind: partial(component_page, kind)
        for kind in ("methods", "perturbations", "metrics", "models", "datasets")
    },
    "suites": suites_page,
    "commands": command_page,
    "python": python_page,
    "files": files_page,
}

OUTSIDE = re.compile(r"\]\(((?:\.\./)+(?:results/[^)]*|[A-Z]+)\.md)\)")
"""A link to a Markdown file that is no page of these documents: Sphinx must be told that it is a file."""

MARK = re.compile(r"^<!-- generated: (\w+) -->$", re.MULTILINE)


def setup(app: Sphinx) -> dict[str, object]:
    """Registers the extension."""
    app.connect("source-read", _fill)
    app.connect("env-get-outdated", _generated)
    return {"version": "1", "parallel_read_safe": True}


def _fill(app: Sphinx, name: str, source: list[str]) -> None:
    del app, name
    source[0] = OUTSIDE.sub(r"](path:\1)", MARK.sub(lambda found: PAGES[found[1]](), source[0]))


def _generated(app: Sphinx, *_: object) -> list[str]:
    """Pages that are read at every build, since what they show is not in their own files."""
    return [name for name in app.env.found_docs if MARK.search(app.env.doc2path(name).read_text("utf-8"))]
