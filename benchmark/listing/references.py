"""The papers and data sets that components come from, as BibTeX."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Mapping
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import NamedTuple

from ..toolkit.inert import one_line
from ..toolkit.latex import latex_text
from .catalogue import read_catalogue

FILE = Path(__file__).with_name("references.toml")

ID = re.compile(
    r"arXiv:(?:\d{4}\.\d{4,5}|[a-z.-]+/\d{7})|doi:10\.\d{4,9}/[\w./:;()<>-]*[A-Za-z0-9]", re.ASCII
)
"""How a source names a paper. A version of a preprint is no part of it."""

Sources = Mapping[str, Mapping[str, str]]
"""What components declare as their source, by kind (``methods``, …) and name."""

_TYPES = {"journal": "article", "booktitle": "inproceedings", "institution": "techreport"}
"""The type of an entry, by the field that only it has."""


class Reference(NamedTuple):
    """What can be cited.

    Args:
        key: of its entry; it never changes.
        id: the arXiv id, the DOI or the words by which sources name it.
        fields: of its entry; ``organisation`` is an author who is no person.
    """

    key: str
    id: str
    fields: Mapping[str, str | int]


@cache
def read_references() -> Mapping[str, Reference]:
    """What is known of the references of built-in components, by id."""
    tables = tomllib.loads(FILE.read_text("utf-8"))
    return {fields["id"]: Reference(key, fields.pop("id"), fields) for key, fields in tables.items()}


def references_in(source: str) -> list[Reference]:
    """The references that a source names, in its order. One that is not known has the whole source as its note."""
    known = read_references()
    found = {match.start(): match.group() for match in ID.finditer(source)}
    found |= {source.index(each): each for each in known if not ID.match(each) and each in source}
    return [known.get(each) or _of_others(each, source) for _, each in sorted(found.items())]


def with_builtin(names: Mapping[str, Iterable[str]], declared: Sources) -> Sources:
    """The source of each component: what it declares, else that of the built-in one of its name, else nothing.

    Args:
        names: of the components, by kind.
        declared: sources that are known.
    """
    catalogue = read_catalogue()
    builtin = {kind: {entry["name"]: entry["source"] for entry in catalogue[kind]} for kind in names}
    return {
        kind: {name: declared.get(kind, {}).get(name) or builtin[kind].get(name, "") for name in of}
        for kind, of in names.items()
    }


def bibliography(sources: Sources) -> str:
    """A BibTeX file: xaiboard, and each reference once, with the components that come from it in a line above.

    Args:
        sources: of the components; those that name no reference are listed at the top.
    """
    cited: dict[str, tuple[Reference, dict[str, list[str]]]] = {}
    uncited = []
    for kind, of in sources.items():
        for name, source in of.items():
            for reference in (named := references_in(source)):
                cited.setdefault(reference.key, (reference, {}))[1].setdefault(kind, []).append(name)
            if not named:
                uncited.append(f"{name} ({source or 'no source is known'})")
    parts = [
        _comment(f"Without a reference: {', '.join(uncited)}") if uncited else "",
        bibtex(xaiboard()),
        *(
            _comment("; ".join(f"{kind}: {', '.join(names)}" for kind, names in by_kind.items()))
            + bibtex(reference)
            for _, (reference, by_kind) in sorted(cited.items())
        ),
    ]
    return "\n".join(filter(None, parts))


def xaiboard() -> Reference:
    """This package, in the version that is installed, as ``CITATION.cff`` has it."""
    fields = {
        "organisation": "The xaiboard authors",
        "title": "xaiboard: a benchmark suite for explanations of image classifiers",
        "note": f"Version {version('xaiboard')}",
    }
    return Reference("xaiboard", "", fields)


def bibtex(reference: Reference) -> str:
    """The entry of a reference; what its fields say is shown, not obeyed."""
    fields = {name: latex_text(str(value)) for name, value in reference.fields.items()}
    if "organisation" in fields:
        fields = {"author": f"{{{fields.pop('organisation')}}}", **fields}
    if "title" in fields:
        fields["title"] = f"{{{fields['title']}}}"  # the letters stay large and small as they are
    scheme, _, number = reference.id.partition(":")
    if ID.match(reference.id):
        fields |= {"eprint": number, "archiveprefix": "arXiv"} if scheme == "arXiv" else {"doi": number}
    kind = next((kind for field, kind in _TYPES.items() if field in fields), "misc")
    lines = [f"  {name} = {{{value}}},\n" for name, value in fields.items()]
    return f"@{kind}{{{reference.key},\n{''.join(lines)}}}\n"


def _of_others(number: str, source: str) -> Reference:
    """A reference of which only its id and the source are known."""
    return Reference(re.sub(r"[^\w.:/-]", "-", number), number, {"note": source})


def _comment(text: str) -> str:
    """A line outside all entries, where an ``@`` would start one."""
    return f"% {one_line(text).replace('@', '(at)')}\n"
