"""Text as LaTeX: what is shown is the text, and nothing in it is obeyed."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest
from xaiboard.benchmark.toolkit.latex import latex_number, latex_text

HOSTILE = [
    r"\input{/etc/passwd}", r"a&b%c$d#e_f^g~h{i}j", "[x]", "*x", "<>|\"`'@", "100 % $\\alpha$ \\\\ \\end{tabular}",
    "a\nb\x00c\u202ed", "} \\csname x\\endcsname {", "^^41", "方法 🙂",
]  # fmt: skip

OURS = re.compile(
    r"\\(?:text(?:backslash|brace(?:left|right)|ascii(?:circum|tilde)|less|greater|bar)|dots|dag)\{\}"
    r"|\\[$&%#_]|\{\\char\d\d\}|\{\\[`'^~\"=.rvHuc]\{\w\}\}|\{[@\[*]\}|\{\\\w\w?\}|\$\\\w+\$|\$-\$"
)
"""Everything but plain signs that the translation may write."""


@pytest.mark.parametrize("text", HOSTILE)
def test_what_is_left_beside_our_own_commands_is_plain(text: str) -> None:
    assert re.fullmatch(r"[ A-Za-z0-9.,:;!?/()\[\]*+='-]*", OURS.sub("", latex_text(text)))


def test_letters_and_signs() -> None:
    assert latex_text("Gómez, Müller & Škoda") == r"G{\'{o}}mez, M{\"{u}}ller \& {\v{S}}koda"
    assert latex_text("score ↑ −1 × 2 †") == r"score $\uparrow$ $-$1 $\times$ 2 \dag{}"
    assert latex_text("Go\u0301mez") == latex_text("G\u00f3mez")  # a letter and its accent may be two signs
    assert latex_text("方") == "U+65B9"
    assert latex_text("integrated_gradients[steps=4]") == r"integrated\_gradients[steps=4]"


def test_numbers() -> None:
    numbers = ["0.123", "-3", "1.5e-07", "1e+09", "inf", "-inf", ""]
    assert [latex_number(text) for text in numbers] == [
        "$0.123$", "$-3$", "$1.5 \\cdot 10^{-7}$", "$1 \\cdot 10^{9}$", "$\\infty$", "$-\\infty$", "",
    ]  # fmt: skip


@pytest.mark.skipif(shutil.which("pdflatex") is None, reason="pdflatex is not installed")
def test_it_compiles_and_shows_the_text(tmp_path: Path) -> None:
    rows = " \\\\\n".join(latex_text(text) for text in [*HOSTILE, "Gómez Müller Škoda ł ß ø −±∞≈–—…“”‘’×↑↓†"])
    table = f"\\begin{{tabular}}{{l}}\n{rows}\n\\end{{tabular}}"
    page = f"\\documentclass{{article}}\\begin{{document}}\n{table}\n\\end{{document}}"
    (tmp_path / "page.tex").write_text(page, "utf-8")
    command = ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "page.tex"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, check=False)
    assert done.returncode == 0, done.stdout.decode(errors="replace")[-1000:]
