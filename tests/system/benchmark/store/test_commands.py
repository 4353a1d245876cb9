"""What the commands that only read a run's folder say, and their exit status."""

from __future__ import annotations

import shutil
import warnings
from collections.abc import Callable
from dataclasses import replace

import pytest
import xaiboard.benchmark as xb
from xaiboard.benchmark import cli
from xaiboard.benchmark.cli.entry import _Warnings
from xaiboard.benchmark.store.locks import computing
from xaiboard.benchmark.store.run_file import read_run, write_run

Runner = Callable[..., xb.Run]

Command = Callable[..., tuple[int, str, str]]


@pytest.fixture
def command(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Command:
    """``xaiboard ...``: exit status, output, and what is said beside it."""

    def call(*words: object) -> tuple[int, str, str]:
        monkeypatch.setattr("sys.argv", ["xaiboard", *map(str, words)])
        capsys.readouterr()
        with warnings.catch_warnings(), pytest.raises(SystemExit) as caught:
            warnings.simplefilter("always")
            cli.main()
        out, said = capsys.readouterr()
        return int(caught.value.code or 0), out, said

    return call


def test_verify(run: Runner, command: Command) -> None:
    folder = run(metrics="gini").folder
    status, out, said = command("verify", folder)
    assert (status, said) == (0, "")
    assert out.startswith(f"{folder}/: ")
    assert out.endswith(" files are as they were written, 0 problems\n")
    (folder / "leaderboard.csv").write_text("changed by hand")
    (folder / "models.csv").unlink()
    status, out, said = command("verify", folder)
    assert (status, said) == (1, "")
    assert out.splitlines()[:-1] == [
        f"'{folder}/leaderboard.csv' is damaged (it does not fit its seal in 'run.json')",
        f"'{folder}/models.csv' is missing",
    ]


def test_verify_names_what_is_not_there(run: Runner, command: Command) -> None:
    folder = run(methods="saliency", metrics="gini").folder
    record, part = (min((folder / "records").glob(name)) for name in ("gini-*.parquet", "outputs-*.json"))
    part.write_bytes(part.read_bytes().replace(b"1", b"2"))
    assert command("verify", folder)[1].startswith(
        f"'{part}' is damaged (its text does not fit the digest in its name)\n"
    )
    record.unlink()
    part.unlink()
    status, out, _ = command("verify", folder)
    assert status == 1
    assert sorted(out.splitlines()[:-1]) == sorted(
        [f"record '{record}' is missing", f"'{part}' is missing, which records name"]
    )
    shutil.rmtree(folder / "records")
    (folder / "records").write_text("no folder")
    status, out, _ = command("verify", folder)
    assert status == 1
    assert out.splitlines()[:-1] == [f"'{folder}/records' is a file, expected a folder"]
    with pytest.raises(xb.XaiboardError, match=r"records' is a file, expected a folder; move it away"):
        run(methods="saliency", metrics="gini")
    (folder / "run.json").unlink()
    (folder / "records").unlink()
    status, out, _ = command("verify", folder)
    assert status == 1
    assert out.splitlines()[:-1] == [
        f"'{folder}/run.json' is missing: nothing shows that the tables are as they were written"
    ]
    assert command("verify", folder / "nothing")[0] == 2


def test_a_folder_of_an_earlier_version_is_warned_of_once(run: Runner, command: Command) -> None:
    folder = run(metrics="gini").folder
    shutil.rmtree(folder / "records")
    found = read_run(folder)
    assert found is not None
    write_run(folder, replace(found, seal=None))
    assert command("verify", folder)[0] == 1
    for words in ("status", "leaderboard", "leaderboard"):  # which seals the tables, and marks them
        status, _, said = command(words, folder)
        assert status == 0
        assert len(said.splitlines()) == 1
        assert said.startswith(f"xaiboard: '{folder}' has files without a digest or seal")
    status, out, _ = command("verify", folder)
    assert status == 1
    assert f"'{folder}/scores.parquet' was sealed as it was found" in out


@pytest.mark.parametrize("words", ["status", "leaderboard"])
def test_a_run_that_goes_on_is_said(run: Runner, command: Command, words: str) -> None:
    folder = run(metrics="gini").folder
    assert "going on" not in command(words, folder)[2]
    with computing(folder):
        status, _, said = command(words, folder)
    assert status == 0
    assert said == (
        f"xaiboard: a run is going on in '{folder}': its missing cells follow, and it writes the tables anew\n"
    )


def test_warnings_of_others_stay_as_they_are(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    shown = _Warnings()
    shown.show(DeprecationWarning("old"), DeprecationWarning, "file.py", 3)
    assert "file.py:3: DeprecationWarning: old" in capsys.readouterr().err
