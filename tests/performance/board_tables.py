"""What the tables of a board cost: seconds, CPU seconds and peak memory, each in a process of its own.

    python tests/performance/boards.py FOLDER --scores 1e7
    python tests/performance/board_tables.py FOLDER [--what ranks,leaderboard,report,compare] [--method method001]

``ranks`` is the table of the leaderboard alone: means, intervals, ranks and sets of the best, from Python, written as
CSV. The others are the commands of these names; ``leaderboard`` is every table, the page and the figures. They write
into the folder.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import time
from pathlib import Path

import pandas as pd
from xaiboard.benchmark.report.markdown import markdown

RANKS = (
    "import sys; from xaiboard.benchmark.report.results import Results\n"
    "from xaiboard.benchmark.store.tables import write_csv; from pathlib import Path\n"
    "write_csv(Results(sys.argv[1]).leaderboard, Path(sys.argv[1], 'leaderboard.csv'))"
)


def commands(folder: Path, method: str) -> dict[str, list[str]]:
    """What can be measured."""
    own = [sys.executable, "-m", "xaiboard.benchmark"]
    return {
        "ranks": [sys.executable, "-c", RANKS, str(folder)],
        "leaderboard": [*own, "leaderboard", str(folder)],
        "report": [*own, "report", str(folder)],
        "compare": [*own, "compare", str(folder), "--method", method],
    }


def measured(command: list[str]) -> dict[str, float]:
    """Seconds, CPU seconds and MB that a process takes at most; it must succeed."""
    start = time.monotonic()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    if status:
        raise SystemExit(f"{' '.join(command)}: exit status {os.waitstatus_to_exitcode(status)}")
    cpu = usage.ru_utime + usage.ru_stime
    return {"s": round(time.monotonic() - start, 1), "CPU s": round(cpu, 1), "MB": usage.ru_maxrss // 1000}


def main() -> None:
    """Prints the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--what", default="ranks,leaderboard,report,compare")
    parser.add_argument("--method", default="method001")
    options = parser.parse_args()
    known = commands(options.folder, options.method)
    rows = [{"what": what, **measured(known[what])} for what in options.what.split(",")]
    print(markdown(pd.DataFrame(rows)))


if __name__ == "__main__":
    main()
