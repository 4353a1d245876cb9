"""Text as LaTeX that shows it, with any engine: what it says is never a command, a comment or mathematics."""

from __future__ import annotations

from unicodedata import normalize

from .inert import one_line

_SIGNS = {
    "\\": r"\textbackslash{}", "{": r"\textbraceleft{}", "}": r"\textbraceright{}", "$": r"\$", "&": r"\&",
    "%": r"\%", "#": r"\#", "_": r"\_", "^": r"\textasciicircum{}", "~": r"\textasciitilde{}",
    "<": r"\textless{}", ">": r"\textgreater{}", "|": r"\textbar{}", '"': r"{\char34}", "`": r"{\char96}",
    "@": "{@}",  # in a BibTeX file it would start an entry
    "↑": r"$\uparrow$", "↓": r"$\downarrow$", "†": r"\dag{}", "×": r"$\times$", "−": r"$-$", "±": r"$\pm$",
    "∞": r"$\infty$", "≈": r"$\approx$", "–": "--", "—": "---", "…": r"\dots{}", "“": "``", "”": "''", "‘": "`",
    "’": "'", "ß": r"{\ss}", "æ": r"{\ae}", "Æ": r"{\AE}", "ø": r"{\o}", "Ø": r"{\O}", "ł": r"{\l}", "Ł": r"{\L}",
}  # fmt: skip

_ACCENTS = {
    "\u0300": "`", "\u0301": "'", "\u0302": "^", "\u0303": "~", "\u0308": '"', "\u030a": "r", "\u030c": "v",
    "\u0304": "=", "\u0306": "u", "\u030b": "H", "\u0327": "c", "\u0307": ".",
}  # fmt: skip


def latex_text(text: str) -> str:
    """The text as LaTeX; a letter that not every engine has stands as its number, ``U+4E2D``."""
    shown = "".join(map(_shown, normalize("NFC", one_line(text))))
    # Behind the end of a table's row, LaTeX takes these two for a part of that command.
    return f"{{{shown[0]}}}{shown[1:]}" if shown[:1] in ("[", "*") else shown


def latex_number(text: str) -> str:
    """A number, as Python writes it, as mathematics: with a true minus, a power of ten and the sign of infinity."""
    digits, _, exponent = text.replace("inf", "\\infty").partition("e")
    power = f" \\cdot 10^{{{int(exponent)}}}" if exponent else ""
    return f"${digits}{power}$" if text else ""


def _shown(sign: str) -> str:
    if sign in _SIGNS:
        return _SIGNS[sign]
    if sign.isascii():
        return sign
    letter, accent = normalize("NFD", sign)[:1], normalize("NFD", sign)[1:]
    if letter.isascii() and accent in _ACCENTS:
        return f"{{\\{_ACCENTS[accent]}{{{letter}}}}}"
    return f"U+{ord(sign):04X}"
