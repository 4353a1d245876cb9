"""What the names in a run's tables stand for: a glossary, which ``columns.json`` keeps beside the tables."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd

from ..toolkit.files import write_file
from ..toolkit.labels import Label, MetricColumn, read_label, read_metric_column, read_settings
from ..toolkit.score_ranges import ScoreRange, range_from_json, range_to_json
from .builtin_ranges import builtin_range
from .builtin_roles import BUILTIN_ROLES
from .columns_file import ALL_KINDS, FILE, KINDS, read_columns
from .dictionary import read_dictionary
from .records import Store
from .seal import seal_files


@dataclass(frozen=True)
class Glossary:
    """The parts of every name that stands as text in the tables of a run, and what the components are there for.

    Args:
        methods: by the text in the column ``method``, with all their settings.
        perturbations: by the text in the column ``perturbation``.
        settings: of metrics, by the text in the column ``settings``.
        columns: of metrics, by the text in the column ``metric``.
        ranges: the smallest and the largest score that a sample may have, infinite where there is no bound or none is
            known; by the text in the column ``metric``.
        roles: of components, by kind (one of ``KINDS``) and name of the component.
        sources: that components declare, by kind (one of ``ALL_KINDS``) and name of the component, where it is known.
    """

    methods: Mapping[str, Label]
    perturbations: Mapping[str, Label]
    settings: Mapping[str, Mapping[str, str]]
    columns: Mapping[str, MetricColumn]
    ranges: Mapping[str, ScoreRange]
    roles: Mapping[str, Mapping[str, tuple[str, ...]]]
    sources: Mapping[str, Mapping[str, str]] = field(default_factory=dict)

    def methods_with(self, role: str) -> list[str]:
        """The methods of that role, as they stand in the tables."""
        having = self._having("methods", role)
        return [text for text, label in self.methods.items() if label.name in having]

    def metric_with(self, role: str) -> str:
        """The metric of that role, of several the first by name; empty where the tables have none."""
        present = {column.metric for column in self.columns.values()}
        return min(present & self._having("metrics", role), default="")

    def is_plain(self, text: str) -> bool:
        """Whether the text in a column ``metric`` names a plain score, not one of a metric's named columns."""
        return not self.columns[text].name

    def _having(self, kind: str, role: str) -> set[str]:
        return {name for name, roles in self.roles[kind].items() if role in roles}


def make_glossary(
    cells: pd.DataFrame, columns: Iterable[str] = (), said: Mapping[str, Any] | None = None
) -> Glossary:
    """The glossary of the names in a run's tables.

    Args:
        cells: the planned cells.
        columns: texts in the column ``metric`` of the scores.
        said: what was said of the names where they were written, see :func:`read_said`. The parts of other names are
            read from their text, and other components have the roles and ranges of the built-in ones of that name.
    """
    known = {
        name: dict((said or {}).get(name, {})) for name in ("methods", "perturbations", "settings", "columns")
    }
    roles = (said or {}).get("roles", {})
    parts = {
        text: _column(known["columns"], text) or read_metric_column(text)
        for text in dict.fromkeys([*_texts(cells["metric"]), *columns])
    }
    of_methods = cells[["method", "method_settings"]].astype(str).drop_duplicates().itertuples(index=False)
    return Glossary(
        methods={
            text: _label(known["methods"], text) or Label(read_label(text).name, read_settings(settings))
            for text, settings in of_methods
            if text
        },
        perturbations={
            text: _label(known["perturbations"], text) or read_label(text)
            for text in _texts(cells["perturbation"])
        },
        settings={
            text: known["settings"].get(text) or read_settings(text) for text in _texts(cells["settings"])
        }
        | {"": {}},
        columns=parts,
        ranges={text: _range(known["columns"], text) or builtin_range(parts[text]) for text in parts},
        roles={
            kind: {**BUILTIN_ROLES[kind], **{name: tuple(of) for name, of in roles.get(kind, {}).items()}}
            for kind in KINDS
        },
        sources={
            kind: {name: str(source) for name, source in of.items()}
            for kind, of in (said or {}).get("sources", {}).items()
        },
    )


def read_said(folder: Path) -> dict[str, dict[str, Any]]:
    """What is known of names where they were written: in ``columns.json``, and in the plans that ran in the folder.

    Raises:
        XaiboardError: a damaged file.
    """
    said = read_columns(folder)
    for plan in Store(folder).plans():
        names = {
            **plan.get("labels", {}),
            "columns": {
                str(MetricColumn(metric, name)): {**reading, "metric": metric, "column": name}
                for metric, columns in plan["columns"].items()
                for name, reading in columns.items()
            },
        }
        for part, entries in names.items():
            said[part] = {**said.get(part, {}), **entries}
        for part, kinds in (("roles", KINDS), ("sources", ALL_KINDS)):
            known, new = said.get(part, {}), plan.get(part, {})
            said[part] = {kind: {**known.get(kind, {}), **new.get(kind, {})} for kind in kinds}
    return said


def write_glossary(
    folder: Path,
    glossary: Glossary,
    scores: pd.DataFrame,
    files: Mapping[str, Mapping[str, Any]] | None = None,
) -> None:
    """Replaces ``columns.json``: the glossary, how each column of the scores reads, and the dictionary of the files.

    Args:
        folder: of the run.
        glossary: of the names in its tables.
        scores: of the run, or what their rows have in common.
        files: what the dictionary does not have, ``row`` and ``columns`` by a file's name.
    """
    words = ["metric", "metric_family", "higher_is_better"]
    facts = scores.drop_duplicates("metric")[[*words, "across_models"]].astype(dict.fromkeys(words, str))
    columns = {
        text: {
            "metric": glossary.columns[text].metric,
            "column": glossary.columns[text].name,
            "family": family,
            "higher_is_better": {"True": True, "False": False}.get(direction),
            "across_models": bool(across_models),
            "range": range_to_json(glossary.ranges[text]),
        }
        for text, family, direction, across_models in facts.itertuples(index=False, name=None)
    }
    content: dict[str, Mapping[str, Any]] = {
        "columns": columns,
        "settings": {text: settings for text, settings in glossary.settings.items() if text},
        "methods": {text: label._asdict() for text, label in glossary.methods.items()},
        "perturbations": {text: label._asdict() for text, label in glossary.perturbations.items()},
        "roles": _present_roles(glossary),
        "sources": {kind: dict(sorted(of.items())) for kind, of in glossary.sources.items()},
        "files": {
            name: {"row": said["row"], "columns": said["columns"]} for name, said in read_dictionary().items()
        }
        | dict(files or {}),
    }
    # Entries are sorted, so that the file is the same each time. Settings are not: they stand in the order in which the
    # component declares them, as they do in its name.
    entries = {part: {text: of[text] for text in sorted(of)} for part, of in content.items()}
    text = json.dumps(entries, indent=2, ensure_ascii=False) + "\n"
    write_file(folder / FILE, lambda path: path.write_text(text, "utf-8"))
    seal_files(folder, [FILE])


def _texts(column: pd.Series) -> list[str]:
    return [text for text in column.astype(str).unique() if text]


def _label(entries: Mapping[str, Any], text: str) -> Label | None:
    return Label(entries[text]["name"], entries[text]["settings"]) if text in entries else None


def _column(entries: Mapping[str, Any], text: str) -> MetricColumn | None:
    return MetricColumn(entries[text]["metric"], entries[text]["column"]) if text in entries else None


def _range(entries: Mapping[str, Any], text: str) -> ScoreRange | None:
    kept = entries.get(text, {}).get("range")
    return kept and range_from_json(kept)


def _present_roles(glossary: Glossary) -> dict[str, dict[str, list[str]]]:
    """The roles of those components that the tables name and that have one."""
    names = {
        "methods": {label.name for label in glossary.methods.values()},
        "metrics": {column.metric for column in glossary.columns.values()},
        "perturbations": {label.name for label in glossary.perturbations.values()},
    }
    return {
        kind: {
            name: list(roles) for name, roles in glossary.roles[kind].items() if roles and name in names[kind]
        }
        for kind in KINDS
    }
