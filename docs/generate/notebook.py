"""The notebook beside a tutorial: its code blocks as cells of code, what is between them as cells of text.

``python docs/generate/notebook.py`` writes it anew after a change of the page.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

PAGE = Path(__file__).parents[1] / "tutorials" / "notebook.md"


def notebook(page: str) -> str:
    """The notebook of a page in Markdown, as JSON of nbformat 4.5, without outputs.

    Blocks of Python are code, and so are blocks of text that start with a percent sign, as ``%pip`` does.
    """
    parts = re.split(r"^```(?:python|text(?=\n%))\n(.*?)^```\n", page, flags=re.DOTALL | re.MULTILINE)
    cells = [_cell(part.strip("\n"), place) for place, part in enumerate(parts) if part.strip()]
    kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
    whole = {"cells": cells, "metadata": {"kernelspec": kernel}, "nbformat": 4, "nbformat_minor": 5}
    return json.dumps(whole, indent=1, ensure_ascii=False) + "\n"


def _cell(text: str, place: int) -> dict[str, Any]:
    """A cell; at odd places of the page is code."""
    cell = {"id": f"cell-{place}", "metadata": {}, "source": text.splitlines(keepends=True)}
    if place % 2:
        return {"cell_type": "code", "execution_count": None, "outputs": [], **cell}
    links = re.sub(r"\{download\}`[^`]*`", "this file", text)
    return {"cell_type": "markdown", **cell, "source": links.splitlines(keepends=True)}


if __name__ == "__main__":
    PAGE.with_suffix(".ipynb").write_text(notebook(PAGE.read_text("utf-8")), "utf-8")
