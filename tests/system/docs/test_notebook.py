"""The notebook is its page, cell by cell; the code of the page is run with that of the other pages."""

from __future__ import annotations

import json
import runpy

from helpers import ROOT, blocks


def test_the_notebook_is_its_page() -> None:
    """Run ``python docs/generate/notebook.py`` after a change of the page."""
    made = runpy.run_path(str(ROOT / "docs/generate/notebook.py"))
    page = ROOT / "docs/tutorials/notebook.md"
    text = page.with_suffix(".ipynb").read_text("utf-8")
    assert text == made["notebook"](page.read_text("utf-8"))
    code = ["".join(cell["source"]) for cell in json.loads(text)["cells"] if cell["cell_type"] == "code"]
    install, *run = code
    assert install.startswith("%pip install ")
    assert run == [
        block.text.rstrip("\n")
        for block in blocks("docs/tutorials/notebook.md")
        if block.language == "python"
    ]
