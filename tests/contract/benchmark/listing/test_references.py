"""Every built-in component's source resolves to BibTeX, and the BibTeX can be read whatever a source says."""

from __future__ import annotations

import re
import tomllib
from collections import Counter

import pytest
from helpers import ROOT
from xaiboard.benchmark.listing.catalogue import read_catalogue
from xaiboard.benchmark.listing.references import (
    ID,
    bibliography,
    bibtex,
    read_references,
    references_in,
    with_builtin,
    xaiboard,
)

CATALOGUE = {kind: entries for kind, entries in read_catalogue().items() if kind != "suites"}
SOURCES = {kind: {entry["name"]: entry["source"] for entry in entries} for kind, entries in CATALOGUE.items()}

WITHOUT = {
    "models": {"cnn.standard", "mlp.standard"},  # plain training by cross-entropy
    "methods": {"random", "constant"},  # controls that nobody needs to invent
    "metrics": {"accuracy"},
    "datasets": {
        "hf-dataset",
        "image-folder",
        "npz",
        "photos",
        "table",
    },  # the user's own, and two photographs
}
"""Components that come from no paper."""

WITHOUT_ID = {"Krizhevsky 2009", "LeCun, Cortes & Burges 1998"}
"""A technical report and a web page, which have neither an arXiv id nor a DOI."""

ENTRY = re.compile(r"@(\w+)\{([^,\s{}]+),\n((?:  \w+ = \{.*\},\n)+)\}\n")
FIELD = re.compile(r"  (\w+) = \{(.*)\},\n")


def parsed(text: str) -> dict[str, dict[str, str]]:
    """The fields of each entry, by key; strict: what is no entry must be a comment or empty."""
    rest = ENTRY.sub("", text)
    assert all(line.startswith("% ") and "@" not in line for line in rest.splitlines() if line), rest
    found = [(key, dict(FIELD.findall(body))) for _, key, body in ENTRY.findall(text)]
    assert max(Counter(key for key, _ in found).values()) == 1
    for _, fields in found:
        for value in fields.values():
            depth = 0
            for sign in value:
                depth += {"{": 1, "}": -1}.get(sign, 0)
                assert depth >= 0, value
            assert depth == 0, value
    return dict(found)


@pytest.mark.parametrize("kind", SOURCES)
def test_each_source_has_its_reference(kind: str) -> None:
    for name, source in SOURCES[kind].items():
        found = references_in(source)
        assert bool(found) != (name in WITHOUT.get(kind, ())), (name, source)
        for each in found:
            assert each == read_references().get(each.id), f"{each.id} of '{name}' is not in references.toml"
            assert ID.fullmatch(each.id) or each.id in WITHOUT_ID


def test_what_sources_call_by_author_and_year_has_an_id() -> None:
    """A part of a source with a year has an arXiv id or a DOI, unless there is none."""
    parts = {part for of in SOURCES.values() for source in of.values() for part in source.split(";")}
    named = {part for part in parts if re.search(r"\b(?:19|20)\d\d\b", part)}
    assert len(named) > 60
    assert {part.split(",")[0] for part in named if not ID.search(part)} <= {"Krizhevsky 2009", "LeCun"}


def test_each_reference_is_used_and_complete() -> None:
    used = {each.id for of in SOURCES.values() for source in of.values() for each in references_in(source)}
    assert used == set(read_references())
    for reference in read_references().values():
        assert {"author", "title", "year"} <= set(reference.fields)
        assert re.fullmatch(r"[a-z]+\d{4}[a-z]+", reference.key)
    keys = [reference.key for reference in read_references().values()]
    assert len(set(keys)) == len(keys)


def test_the_year_and_the_first_author_are_those_of_the_sources() -> None:
    compared = set()
    for of in SOURCES.values():
        for source in of.values():
            for part in re.split(r"; (?:on maps: )?|, and its use by ", source.replace("(Fel", "; Fel")):
                said = re.match(r"(?:\w+ )*?([\w-]+)(?: et al\.| & [\w-]+|, .*)? (\d{4}),", part)
                if said and (found := references_in(part)):
                    fields = found[0].fields
                    first = str(fields["author"]).partition(" and ")[0].partition(",")[0]
                    assert said[1].lower() in plain(first), (part, first)
                    assert int(said[2]) == fields["year"], part
                    compared.add(found[0].id)
    assert len(compared) > 60


def plain(name: str) -> str:
    """Sources write ue and o for ü and ö."""
    return name.lower().replace("ü", "ue").replace("é", "e") + name.lower()


def test_the_whole_bibliography_can_be_read() -> None:
    entries = parsed(bibliography(SOURCES))
    assert set(entries) == {"xaiboard", *(reference.key for reference in read_references().values())}
    assert entries["simonyan2014deep"]["eprint"] == "1312.6034"
    assert entries["bach2015pixel"]["doi"] == "10.1371/journal.pone.0130140"
    assert r"M{\"{u}}ller, Klaus-Robert" in entries["bach2015pixel"]["author"]


def test_xaiboard_is_cited_as_its_file_says() -> None:
    said = dict(
        re.findall(r'^\s*(?:- )?(\w+): "?(.*?)"?$', (ROOT / "CITATION.cff").read_text("utf-8"), re.MULTILINE)
    )
    fields = xaiboard().fields
    assert (fields["title"], fields["organisation"]) == (said["title"], said["name"])
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    assert said["version"] == project["version"]
    assert "author = {{The xaiboard authors}}," in bibtex(xaiboard())


def test_sources_of_others() -> None:
    """What a source does not say is left out; what it says is shown, not obeyed; two components share an entry."""
    evil = "Doe {2027, arXiv:2701.00001v2, doi:10.1016/0377-0427(87)90125-7, @misc{a, \\input{x} % $"
    text = bibliography(
        {
            "methods": {"mine": evil, "his": "arXiv:2701.00001", "nothing": ""},
            "metrics": {"odd\n@misc{b,": "a note"},
        }
    )
    entries = parsed(text)
    assert set(entries) == {"xaiboard", "arXiv:2701.00001", "doi:10.1016/0377-0427-87-90125-7"}
    assert set(entries["arXiv:2701.00001"]) == {"note", "eprint", "archiveprefix"}
    assert entries["doi:10.1016/0377-0427-87-90125-7"]["doi"] == "10.1016/0377-0427(87)90125-7"
    assert "% methods: mine, his\n@misc{arXiv:2701.00001,\n" in text
    assert "nothing (no source is known)" in text


def test_declared_sources_come_first() -> None:
    names = {"methods": ["saliency", "mine"], "metrics": ["gini"]}
    found = with_builtin(names, {"methods": {"saliency": "another", "mine": "own"}})
    assert found == {
        "methods": {"saliency": "another", "mine": "own"},
        "metrics": {"gini": SOURCES["metrics"]["gini"]},
    }
