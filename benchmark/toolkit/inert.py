"""Text that only shows itself, in a spreadsheet, on a Markdown page and on a terminal, whoever has written it."""

from __future__ import annotations

import re

_FORMULA = re.compile(r"'*[=+\-@\t\r\n＝＋－＠]")
"""How a text starts that a spreadsheet may take for a formula, also behind apostrophes that were put before it."""

_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?|[+-]inf", re.IGNORECASE)

_MARKDOWN = (
    (re.compile(r"([\\`*~$@])"), r"\\\1"),
    (re.compile(r"(?<![^\W_])_|_(?![^\W_])"), r"\\_"),  # inside of a word it is plain
    (re.compile(r"\]\("), r"]\\("),
    (re.compile(r"&(?=#?\w+;)"), "&amp;"),
    (re.compile(r"<(?=[A-Za-z/!?])"), "&lt;"),
    (re.compile(r"://"), r":\\//"),
    (re.compile(r"\bwww\.", re.IGNORECASE), r"www\\."),
)
"""What starts code, emphasis, mathematics, links, entities or HTML, and what stands in its place."""


def one_line(text: str) -> str:
    """The text with a space for each line break and each other sign that is not shown but obeyed."""
    return "".join(sign if sign.isprintable() else " " for sign in text)


def csv_cell(text: str) -> str:
    """The text as a cell of a CSV, with an apostrophe before what would start a formula; numbers stay as they are.

    Signs that a terminal obeys instead of showing them are spaces, but for line breaks and tabulators.
    """
    if not text.isprintable():
        text = "".join(sign if sign.isprintable() or sign in "\n\r\t" else " " for sign in text)
    return f"'{text}" if _FORMULA.match(text) and not _NUMBER.fullmatch(text) else text


def from_csv_cell(cell: str) -> str:
    """The text of which :func:`csv_cell` has made the cell."""
    return cell[1:] if cell.startswith("'") and _FORMULA.match(cell) else cell


def markdown_text(text: str) -> str:
    """The text as Markdown that shows it: no HTML, links, code or emphasis. Most names stay as they are."""
    text = one_line(text)
    for live, shown in _MARKDOWN:
        text = live.sub(shown, text)
    return text
