"""Why a part of a claim cannot be judged here."""

from __future__ import annotations

from collections.abc import Sequence

from .sides import Source


class NotTestable(Exception):  # noqa: N818 - no mistake: the claim says why
    """Nothing can be said of a part.

    Args:
        why: the reason.
        settle: what would settle it.
        missing: sources of which a run would make scores.
        train: whether other networks of their recipes have to be trained first.
    """

    def __init__(self, why: str, settle: str, missing: Sequence[Source] = (), *, train: bool = False) -> None:
        super().__init__(why)
        self.why, self.settle, self.missing, self.train = why, settle, tuple(missing), train


def no_scores(dataset: str, missing: Sequence[Source], said: str) -> NotTestable:
    """Scores are missing; ``said`` is why, as far as a run says so."""
    recipes = dict.fromkeys(source.recipe for source in missing)
    columns = dict.fromkeys(source.words for source in missing)
    because = f" ({said})" if said else ""
    why = f"no scores of {' and '.join(recipes)} on {dataset} in {' and '.join(columns)}{because}"
    return NotTestable(why, "these scores", missing)
