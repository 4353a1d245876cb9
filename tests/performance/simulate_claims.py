"""How often false claims are said to hold, and how many true ones are found: scores of which is known what is so.

Run it by hand: ``PYTHONPATH=tests python tests/performance/simulate_claims.py docs/explanation/claims-simulation.csv``
for simulated scores (ten minutes of one processor), and with ``--here FILE.csv [RUN …]`` for claims whose networks and
images vary as those of runs do. All is the same each time. It is no test, because where verdicts err is a finding; a
small simulation among the tests holds what is promised.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path
from zlib import crc32

import numpy as np
import pandas as pd
from simulated_claims import KINDS, SPREADS, effect_of, holds_alone, holds_with, rule_of, share_of
from xaiboard.benchmark.claims.boundaries import HOLDS
from xaiboard.benchmark.claims.declaration import ABOVE, BELOW, Claim, Rule
from xaiboard.benchmark.claims.evaluate import judge_claims
from xaiboard.benchmark.claims.judging import Judged
from xaiboard.benchmark.claims.verdicts import WHOLE, decide
from xaiboard.benchmark.statistics.contrasts import Contrast, Networks
from xaiboard.benchmark.statistics.effects import Effect
from xaiboard.benchmark.statistics.holm import holm

SEEDS = (2, 3, 5)
REPEATS, PAGES = 400, 200
ON_A_PAGE = 20
"""Claims of each page that are just false; as many are true by far."""

DEFAULT = 0.05
"""The effect that is to be found where neither a margin nor the paper gives one."""


def errors() -> Iterator[dict[str, object]]:
    """Claims that are just false: how many are said to hold, by themselves and among others."""
    for kind in KINDS:
        for name, spread in SPREADS.items():
            for seeds in SEEDS:
                for scores in ("normal", "binary") if kind == "pair" else ("normal",):
                    rng = np.random.default_rng(crc32(f"{kind} {name} {seeds} {scores}".encode()))
                    rule = rule_of(kind)
                    found = [
                        effect_of(kind, 0, seeds, spread, rng, n=100, scores=scores) for _ in range(REPEATS)
                    ]
                    alone = [holds_alone(effect, rule) for effect in found]
                    welch = [holds_with(effect, rule, WHOLE) for effect in found]
                    yield {
                        "kind": kind, "spread": name, "networks": seeds, "scores": scores, "claims": REPEATS,
                        "alone": share_of(alone), "welch": share_of(welch), "page": page_error(found, rule),
                    }  # fmt: skip


def page_error(found: list[Effect], rule: Rule) -> float:
    """The share of pages on which one of the false claims is said to hold, beside as many that are true by far."""
    false = [probability(effect, rule) for effect in found]
    pages = [false[start : start + ON_A_PAGE] for start in range(0, len(false), ON_A_PAGE)]
    hits = [
        any(each.adjusted <= WHOLE for each in holm([*page, *[0.0] * ON_A_PAGE], WHOLE)[: len(page)])
        for page in pages
    ]
    return share_of(hits)


def probability(effect: Effect, rule: Rule) -> float:
    """Two-sided, that the claim holds."""
    return min(1.0, 2 * effect.p_above(rule.m))


def power_here(folders: list[str], file: str | None) -> Iterator[dict[str, object]]:
    """The claims of a file as if each were true by what it should find, with the networks and images of the runs."""
    found = judge_claims(folders, file).verdicts
    rng = np.random.default_rng(0)
    counts = {verdict.claim.id: [0, 0] for verdict in found}
    for _ in range(PAGES):
        page = [
            (verdict.claim, [drawn(verdict.claim, part, rng) for part in verdict.parts]) for verdict in found
        ]
        for verdict in decide(page):
            counts[verdict.claim.id][0] += verdict.word == HOLDS
            counts[verdict.claim.id][1] += verdict.alone == HOLDS
    for verdict in found:
        judgeable = [part for part in verdict.parts if part.part.counts and part.effect and not part.reason]
        if judgeable and all(part.effect and not part.reason for part in verdict.parts if part.part.counts):
            together, alone = (count / PAGES for count in counts[verdict.claim.id])
            yield {
                "claim": verdict.claim.id, "effect": truth(verdict.claim, judgeable[0].part.rule),
                "parts": len(judgeable), "networks": min(part.effect.fewest for part in judgeable if part.effect),
                "images": min(part.n for part in judgeable), "found": together, "alone": alone,
            }  # fmt: skip


def truth(claim: Claim, rule: Rule) -> float:
    """An effect to be found: the larger of twice the margin and that of the paper, or .05 where neither is given."""
    if rule.holds == BELOW:
        return 0.0 if rule.m > 0 else rule.m - DEFAULT
    if rule.holds != ABOVE:
        return rule.around
    if rule.kind in ("level", "ratio", "share") or rule.m < 0:
        return rule.m + DEFAULT
    return max(2 * rule.m, claim.paper_effect or 0) or DEFAULT


def drawn(claim: Claim, judged: Judged, rng: np.random.Generator) -> Judged:
    """The part with other networks and images of the same variances, and the effect that is to be found."""
    if judged.effect is None or not judged.tested:
        return judged
    wanted = truth(claim, judged.part.rule)
    contrasts = []
    for contrast in judged.effect.contrasts:
        variances = contrast.variances()
        shift = wanted + np.sqrt(variances[-1]) * rng.normal()
        recipes = []
        for place, recipe in enumerate(contrast.recipes):
            own = recipe.mean.std(ddof=1) * rng.normal(size=len(recipe.mean))
            recipes.append(Networks(own + (0 if place else shift), recipe.influence, recipe.key))
        contrasts.append(Contrast(tuple(recipes)))
    return Judged(judged.part, Effect(tuple(contrasts)), None, judged.sides, judged.reason, judged.doubling)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("table", type=Path, help="CSV file that is written")
    parser.add_argument("--here", action="store_true", help="claims at the size of published or given runs")
    parser.add_argument("--claims")
    parser.add_argument("runs", nargs="*")
    options = parser.parse_intermixed_args()
    rows = []
    for row in power_here(options.runs, options.claims) if options.here else errors():
        rows.append(row)
        print(*row.values(), flush=True)
    pd.DataFrame(rows).round(4).to_csv(options.table, index=False)


if __name__ == "__main__":
    main()
