"""A changed byte in anything that a table is made from is found and named; what is whole goes on."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from threading import Thread
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest
import xaiboard.benchmark as xb
from mutation.damage import damage, make_run, readers
from torch import nn
from xaiboard.benchmark.errors import XaiboardError, XaiboardWarning
from xaiboard.benchmark.report.publish import publish
from xaiboard.benchmark.report.results import Results
from xaiboard.benchmark.report.write import write
from xaiboard.benchmark.store import seal as sealing
from xaiboard.benchmark.store.consolidate import consolidate, current_cells
from xaiboard.benchmark.store.damage import DamagedError
from xaiboard.benchmark.store.record import Record, content_digest, identity_digest
from xaiboard.benchmark.store.records import Store
from xaiboard.benchmark.store.run_file import Seal, read_run, write_run
from xaiboard.benchmark.store.seal import check_sealed, replace_sealed
from xaiboard.benchmark.store.sealed_json import sealed_text
from xaiboard.benchmark.store.tables import read_cells, read_scores
from xaiboard.benchmark.store.verify import verify

AS_FOUND = (
    "was sealed as it was found, and nothing shows that this is as it was written; compute it again, or restore the"
    " folder from a copy"
)

Runner = Callable[..., xb.Run]

IDENTITY = {"metric": "gini"}
KEY = f"gini-{identity_digest(IDENTITY)}"
RECORD = Record(
    np.array([4, 7]), np.array([0, 1]), np.array([0, 1]), np.array([True, False]),
    {"": np.array([0.5, -0.0])}, {}, {"curve": np.arange(4.0).reshape(2, 2)},
)  # fmt: skip


def test_random_damage_is_found_or_makes_no_difference(
    tmp_path: Path, mlp: nn.Module, tiny: str, quick: None
) -> None:
    folder = make_run(tmp_path, mlp, tiny)
    kinds = {path.name.split("-")[0].split(".")[0] for path, _ in readers(folder)}
    assert kinds >= {
        "accuracy",
        "gini",
        "deletion",
        "plan",
        "taken",
        "renewed",
        "run",
        "cells",
        "scores",
        "curves",
    }
    counts = damage(folder, 400, seed=1)
    assert set(counts) <= {"found", "same"}
    assert counts["same"] < counts["found"] / 10


# records


@pytest.fixture
def store(tmp_path: Path) -> Store:
    opened = Store(tmp_path / "run")
    opened.open({"seed": 0})
    opened.write(KEY, 0, RECORD, IDENTITY, {"seconds": 1.0})
    return opened


def rewrite(path: Path, **changed: Any) -> None:  # noqa: ANN401
    """Writes a record as a tool would that knows Parquet: with other columns, or other entries of the metadata."""
    table = pq.read_table(path)
    metadata = dict(table.schema.metadata)
    for name, value in changed.items():
        if f"score/{name}" in table.column_names or name in table.column_names:
            full = name if name in table.column_names else f"score/{name}"
            table = table.set_column(table.column_names.index(full), full, [value])
        elif value is None:
            del metadata[name.encode()]
        else:
            metadata[name.encode()] = value.encode()
    pq.write_table(table.replace_schema_metadata(metadata), path)


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"": np.array([0.5, 0.25], np.float32)}, "its content does not fit its digest"),
        ({"correct": np.array([True, True])}, "its content does not fit its digest"),
        ({"provenance": '{"seconds": 2.0}'}, "its provenance does not fit its digest"),
        ({"identity": '{"metric": "lens"}'}, "its content does not fit its digest"),
        ({"digest": None}, "'digest'"),
        ({"sample": np.array([4, 4])}, "a sample is there twice"),
        ({"label": np.array([0, -1])}, "an id or a class is negative"),
        ({"target": np.array([0, 1], np.float64)}, "column 'target' holds double, not int64"),
        ({"correct": np.array([1, 0])}, "column 'correct' holds int64, not bool"),
        ({"": np.array([0.5, 0.25], np.float64)}, "holds double, not float32"),
        ({"": np.array([0.5, np.nan], np.float32)}, "has a value that is no number"),
        ({"identity": "[]"}, "is no JSON object"),
    ],
)
def test_a_changed_record_is_named(store: Store, changed: dict[str, Any], said: str) -> None:
    path = store.records / f"{KEY}-0.parquet"
    rewrite(path, **changed)
    with pytest.raises(
        DamagedError, match=f"record '{path}' is damaged .*; delete it and run again"
    ) as error:
        store.read(KEY, 0)
    assert said in str(error.value)
    assert any(str(path) in problem for problem in verify(store.folder)[0])


def test_a_record_under_another_name_is_refused(store: Store) -> None:
    other = "gini-0123456789abcdef"
    shutil.copy(store.records / f"{KEY}-0.parquet", store.records / f"{other}-0.parquet")
    with pytest.raises(DamagedError, match="it holds another cell than its name says"):
        store.read(other, 0)
    shutil.copy(store.records / f"{KEY}-0.parquet", store.records / f"{KEY}-1.parquet")
    with pytest.raises(DamagedError, match="its content does not fit its digest"):
        store.read(KEY, 1)


def test_records_of_earlier_versions_are_read_with_a_warning(store: Store) -> None:
    path = store.records / f"{KEY}-0.parquet"
    rewrite(path, **{"digest": None, "provenance digest": None})
    with pytest.warns(XaiboardWarning, match="files without a digest or seal, .* are read unverified"):
        found, provenance = store.read(KEY, 0)
    assert found.score[""].tolist() == RECORD.score[""].tolist()
    assert provenance == {"seconds": 1.0}
    assert verify(store.folder)[0] == [
        f"1 files in '{store.records}' have no digest, as earlier versions wrote them"
    ]
    rewrite(path, sample=np.array([4, 4]))  # what a digest is not needed for is looked at
    with pytest.raises(DamagedError, match="a sample is there twice"):
        store.read(KEY, 0)


def test_the_digest_is_that_of_the_content_alone() -> None:
    digest = content_digest(RECORD, IDENTITY, 0)
    same = replace(
        RECORD, score={"": np.array([0.5, 0.0], np.float64)}, sample=RECORD.sample.astype(np.int32)
    )
    assert content_digest(same, IDENTITY, 0) == digest
    others = [
        (replace(RECORD, curve={"curve": np.arange(4.0).reshape(1, 4)}), IDENTITY, 0),
        (replace(RECORD, score={"other": RECORD.score[""]}), IDENTITY, 0),
        (RECORD, {"metric": "lens"}, 0),
        (RECORD, IDENTITY, 1),
    ]
    assert digest not in {content_digest(*other) for other in others}


def test_a_cell_with_other_samples_than_its_run_is_refused(run: Runner) -> None:
    """As where a record of an earlier version, which has no digest, is not as it was."""
    finished = run()
    path = next((finished.folder / "records").glob("gini-*.parquet"))
    rewrite(path, **{"sample": np.arange(1, 13), "digest": None, "provenance digest": None})
    with (
        pytest.raises(XaiboardError, match="it has other samples than its run"),
        pytest.warns(XaiboardWarning),
    ):
        consolidate(Store(finished.folder))


# tables


@pytest.fixture
def finished(run: Runner) -> Path:
    return run(metrics="gini,deletion[steps=4,orders=2],accuracy").folder


def halve(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def rebuild(folder: Path) -> None:
    consolidate(Store(folder))
    write(folder, Results(folder))


@pytest.mark.parametrize("name", ["scores.parquet", "cells.csv", "curves.csv", "run.json", "columns.json"])
def test_damaged_tables_are_made_anew_from_the_records(finished: Path, name: str) -> None:
    before = {path.name: path.read_bytes() for path in finished.iterdir() if path.is_file()}
    halve(finished / name)
    with pytest.warns(XaiboardWarning, match=f"{name}' is damaged"):
        rebuild(finished)
    after = {path.name: path.read_bytes() for path in finished.iterdir() if path.is_file()}
    if name == "run.json":  # which cannot tell any more whether the tables are as they were
        assert json.loads(after.pop(name))["seal"]["cells"] == json.loads(before.pop(name))["seal"]["cells"]
    assert after == before
    # of which there are no records
    doubted = ["images.parquet", "maps.parquet"] if name == "run.json" else []
    assert verify(finished)[0] == [f"'{finished / file}' {AS_FOUND}" for file in doubted]


@pytest.mark.parametrize("name", ["scores.parquet", "cells.csv", "curves.csv", "run.json"])
def test_damaged_tables_without_records_are_named(finished: Path, name: str) -> None:
    shutil.rmtree(finished / "records")
    halve(finished / name)
    with pytest.raises(XaiboardError, match=f"{name}' is damaged") as error:
        rebuild(finished)
    if name != "run.json":
        assert "as they were written are" in str(error.value)
        assert "leaderboard.csv" in str(error.value).partition("as they were written are")[2]
    assert any(name in problem for problem in verify(finished)[0])


def test_a_score_that_is_changed_by_hand_is_found_with_its_cell(finished: Path) -> None:
    shutil.rmtree(finished / "records")
    scores = read_scores(finished)
    changed = scores["metric"].eq("gini") & scores["method"].eq("random") & scores["model"].eq("mlp")
    scores.loc[changed, "score"] /= 2
    scores.to_parquet(finished / "scores.parquet")
    with pytest.raises(
        DamagedError, match=r"scores.parquet' is damaged .it does not fit its seal in 'run.json'"
    ):
        rebuild(finished)
    problems = verify(finished).problems
    cells = read_cells(finished)
    key = cells[(cells["metric"] == "gini") & (cells["method"] == "random") & (cells["model"] == "mlp")][
        "key"
    ].item()
    assert [problem.split(":")[0] for problem in problems if problem.startswith("cell")] == [f"cell {key}"]
    assert len(problems) == 2


def test_rows_that_only_tables_have_are_kept_when_these_are_damaged(run: Runner, tmp_path: Path) -> None:
    before = run(methods="saliency", metrics="gini", out=tmp_path / "before").folder
    publish(before, tmp_path / "copy")
    words = {"methods": "saliency,random", "metrics": "gini", "out": tmp_path / "joined"}
    joined = run(**words, reuse=tmp_path / "copy").folder
    halve(joined / "cells.csv")
    content = (joined / "scores.parquet").read_bytes()
    with pytest.warns(XaiboardWarning, match="only they have the scores of 2 cells"):
        rebuild(joined)
    assert set(read_scores(joined)["method"]) == {"random"}
    assert (joined / "scores.parquet.damaged").read_bytes() == content
    again = run(**words)  # computes what was lost
    assert set(again.scores["method"]) == {"saliency", "random"}


def test_a_folder_without_a_seal_is_read_with_a_warning(finished: Path) -> None:
    shutil.rmtree(finished / "records")
    found = read_run(finished)
    assert found is not None
    before = found.seal
    assert before is not None
    write_run(finished, replace(found, seal=None))
    for read in (read_cells, read_scores):
        with pytest.warns(XaiboardWarning, match="files without a digest or seal"):
            read(finished)
    assert any("has no seal of the tables" in problem for problem in verify(finished)[0])
    with pytest.warns(XaiboardWarning):
        write(finished, Results(finished))
    assert read_run(finished) == replace(
        found, seal=None
    )  # what follows from them is no better than they are
    with pytest.warns(XaiboardWarning):
        rebuild(finished)
    again = read_run(finished)
    assert again is not None
    assert again.seal is not None
    assert again.seal.cells == before.cells


def take_seal_away(folder: Path) -> None:
    """And the records, as in a published copy of which nothing shows what it was."""
    shutil.rmtree(folder / "records", ignore_errors=True)
    found = read_run(folder)
    assert found is not None
    write_run(folder, replace(found, seal=None))


def test_what_was_sealed_as_it_was_found_stays_marked(run: Runner, tmp_path: Path) -> None:
    """In the folder itself, in what reuses it, and in a published copy of that; what is computed has no mark."""
    words = {"methods": "saliency", "metrics": "gini,deletion[steps=4,orders=2]"}
    folder = run(**words).folder
    keys = read_cells(folder)["key"].tolist()
    take_seal_away(folder)
    with pytest.warns(XaiboardWarning, match="read unverified"):
        joined = run(**{**words, "methods": "saliency,random"}, reuse=folder, out=tmp_path / "joined").folder
    with pytest.warns(XaiboardWarning, match="read unverified"):
        rebuild(folder)
    names = ["cells.csv", "curves.csv", "images.parquet", "maps.parquet", "scores.parquet"]
    assert verify(folder).problems == [f"'{folder / name}' {AS_FOUND}" for name in names]
    publish(joined, tmp_path / "copy")
    for where in (joined, tmp_path / "copy"):
        said = {problem.split(":")[0] for problem in verify(where).problems}
        assert {f"cell {key}" for key in keys} < said
        assert len(said) == len(keys) + 2
        with pytest.warns(XaiboardWarning, match="read unverified"):
            read_scores(where)
    # with records everything is made anew, less the maps, which are gone when their files are
    for name in ("maps.parquet", "images.parquet"):
        (joined / name).unlink()
    (joined / "records" / "taken-over.json").unlink()
    with pytest.warns(XaiboardWarning):
        run(**{**words, "methods": "saliency,random"}, out=joined)
    assert verify(joined).problems == []


def test_a_table_that_is_not_in_the_seal_is_refused(finished: Path) -> None:
    found = read_run(finished)
    assert found is not None
    assert found.seal is not None
    files = {name: digest for name, digest in found.seal.files.items() if name != "cells.csv"}
    write_run(finished, replace(found, seal=replace(found.seal, files=files)))
    with pytest.raises(DamagedError, match=r"cells.csv' is damaged .'run.json' has no seal of it"):
        read_cells(finished)
    assert any("cells.csv" in problem for problem in verify(finished)[0])


def test_conditions_that_are_changed_by_hand_are_found(finished: Path) -> None:
    text = (finished / "run.json").read_text()
    for bad in (
        text.replace('"seed": 0', '"seed": 1'),
        text.replace('"digest"', '"dogest"'),
        text.replace('"seal"', '"seel"'),
    ):
        assert bad != text
        (finished / "run.json").write_text(bad)
        with pytest.raises(DamagedError, match=r"run.json' is damaged"):
            read_run(finished)


def test_a_process_that_is_killed_between_two_tables_leaves_them_sealed(
    finished: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Killed(BaseException):
        pass

    moves, move = [], Path.replace

    def dies(path: Path, target: Path) -> Path:
        if path.name.startswith((".cells", ".scores")):
            moves.append(target.name)
            if len(moves) == 2:
                raise Killed
        return move(path, target)

    monkeypatch.setattr(Path, "replace", dies)
    with pytest.raises(Killed):
        new: dict[str, Any] = dict.fromkeys(
            ("scores.parquet", "cells.csv"), lambda path: path.write_text("new")
        )
        replace_sealed(finished, new, {})
    monkeypatch.undo()
    assert (finished / "scores.parquet").read_text() == "new"
    assert (finished / "cells.csv").read_text() != "new"
    for name in ("scores.parquet", "cells.csv"):
        check_sealed(finished, name)
    (finished / "cells.csv").write_text("other")
    with pytest.raises(DamagedError):
        check_sealed(finished, "cells.csv")


def test_a_damaged_file_is_never_sealed_as_an_earlier_one(
    finished: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (finished / "cells.csv").write_text("damaged")
    seals: list[Seal] = []
    monkeypatch.setattr(sealing, "write_run", lambda folder, run: seals.append(run.seal))
    replace_sealed(finished, {"cells.csv": lambda path: path.write_text("new")}, {})
    assert len(seals) == 2
    assert all("cells.csv" not in seal.earlier for seal in seals)


@pytest.mark.parametrize(
    "name", ["records/gini-*.parquet", "records/plan-*.json", "scores.parquet", "failed"]
)
def test_a_named_pipe_is_damage_and_nobody_waits_for_it(finished: Path, name: str) -> None:
    path = next(finished.glob(name), finished / "records" / "gini-0-0.failed.json")
    path.unlink(missing_ok=True)
    os.mkfifo(path)
    found: list[str] = []
    reader = Thread(target=lambda: found.extend(verify(finished)[0]), daemon=True)
    reader.start()
    reader.join(20)
    assert f"{path.name}' is damaged (it is no regular file)" in "\n".join(found)


# JSON of other shapes


@pytest.mark.parametrize("part", ["files", "earlier", "cells"])
@pytest.mark.parametrize("found", [5, ["cells.csv"], "?", None, {"cells.csv": 5}, {"cells.csv": ["?"]}])
def test_a_seal_without_digests_is_one_sentence(finished: Path, part: str, found: object) -> None:
    """The digest of the file fits, as a tool would write it that knows how."""
    path = finished / "run.json"
    content = json.loads(path.read_text())
    del content["digest"]
    content["seal"][part] = found
    path.write_text(sealed_text(content))
    with pytest.raises(DamagedError, match=rf"run\.json' is damaged \(its seal has no digests as '{part}'\)"):
        read_run(finished)
    assert any("its seal has no digests" in problem for problem in verify(finished)[0])
    with pytest.warns(XaiboardWarning, match="it is made anew from the records"):
        rebuild(finished)


@pytest.mark.parametrize(
    "text", ["[]", "{}", '{"cells": 5}', "null", '[["schema", 1]]', "7", "[" * 100_000, "\xff"]
)
@pytest.mark.parametrize("kind", ["plan", "run.json", "taken-over.json", "renewed-code.json", "failed"])
def test_other_json_is_one_sentence(finished: Path, kind: str, text: str) -> None:
    records = finished / "records"
    paths = {
        "plan": next(records.glob("plan-*")),
        "failed": records / "gini-0-0.failed.json",
        "run.json": finished / kind,
    }
    path = paths.get(kind, records / kind)
    path.write_bytes(text.encode("latin-1"))
    store = Store(finished)
    acts: list[Callable[[], object]] = [
        lambda: current_cells(store), lambda: store.failure("gini-0"), lambda: store.renewed_code,
        lambda: rebuild(finished), lambda: verify(finished),
    ]  # fmt: skip
    for act in acts:
        try:
            act()
        except XaiboardError as error:
            assert "\n" not in str(error)
    assert verify(finished)[0] or kind == "run.json"  # which is made anew
