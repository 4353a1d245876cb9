"""Mutation tests: plants each mistake of ``mutants.toml`` in a metric or attack and checks that a test fails.

Run it by hand: ``python tests/mutation/mutate.py [PART OF A FILE'S NAME]``. It prints the mutants that survive, which
means that all tests pass. For some of them ``mutants.toml`` gives the reason why the change makes no difference; if one
survives without a reason, the exit status is 1.
"""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
import tomllib
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path

import pytest
import torch

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("benchmark", "metrics", "models")


def survives(mutant: dict[str, str]) -> bool:
    """Whether the mutant's tests pass. They run in their own process, on a copy of the package with the mistake."""
    with tempfile.TemporaryDirectory() as folder:
        package = Path(folder) / "xaiboard"
        package.mkdir()
        for name in PACKAGES:
            if name == Path(mutant["file"]).parts[0]:
                shutil.copytree(ROOT / name, package / name)
            else:
                (package / name).symlink_to(ROOT / name)
        file = package / mutant["file"]
        text = file.read_text("utf-8")
        if text.count(mutant["was"]) != 1:
            raise SystemExit(
                f"{mutant['file']}: '{mutant['was']}' is there {text.count(mutant['was'])} times, not once"
            )
        file.write_text(text.replace(mutant["was"], mutant["is"]), "utf-8")
        child = os.fork()
        if not child:
            try:
                os._exit(_test(folder, mutant["tests"].split()))
            finally:  # a mutant that cannot be imported counts as found
                os._exit(1)
        status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        if status in (pytest.ExitCode.USAGE_ERROR, pytest.ExitCode.NO_TESTS_COLLECTED):
            raise SystemExit(f"{mutant['file']}: '{mutant['tests']}' tests nothing, or not the mutant")
        return status == 0


def _test(folder: str, tests: list[str]) -> int:
    """Exit status of pytest for the package in ``folder``; that of a usage error if another package is imported."""
    sys.path.insert(0, folder)
    os.environ["PYTHONPATH"] = folder
    with Path(os.devnull).open("w") as nowhere, redirect_stdout(nowhere), redirect_stderr(nowhere):
        options = ["-x", "-q", "-p", "no:cacheprovider", "-p", "no:cov", f"--rootdir={ROOT}"]
        paths = [str(ROOT / "tests" / test) for test in tests]
        import xaiboard.benchmark
        import xaiboard.metrics

        files = [Path(str(module.__file__)) for module in (xaiboard.benchmark, xaiboard.metrics)]
        if any(file.parents[2] != Path(folder) for file in files):
            return int(pytest.ExitCode.USAGE_ERROR)
        return int(pytest.main([*options, *paths]))


def main() -> int:
    """Prints the mutants that survive, and counts; the exit status."""
    wanted = sys.argv[1] if len(sys.argv) > 1 else ""
    torch.set_num_threads(1)
    mutants = tomllib.loads((Path(__file__).parent / "mutants.toml").read_text("utf-8"))["mutant"]
    mutants = [mutant for mutant in mutants if wanted in mutant["file"]]
    survivors = []
    for mutant in mutants:
        if survives(mutant):
            survivors.append(mutant)
            reason = mutant.get("equivalent", "SURVIVES")
            print(f"{mutant['file']}: {mutant['was']!r} -> {mutant['is']!r}: {reason}", flush=True)
    unexplained = [mutant for mutant in survivors if "equivalent" not in mutant]
    print(
        f"{len(mutants)} mutants, {len(mutants) - len(survivors)} killed, {len(unexplained)} unexplained survivors"
    )
    return bool(unexplained)


if __name__ == "__main__":
    sys.exit(main())
