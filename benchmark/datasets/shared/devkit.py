"""ImageNet's development kit: which class each validation image has, where they lie side by side."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path

from ...errors import XaiboardError
from .trees import Parts, Tree

KIT = "ILSVRC2012_devkit_t12"
META, TRUTH = (KIT, "data", "meta.mat"), (KIT, "data", "ILSVRC2012_validation_ground_truth.txt")
MOST_BYTES = 2**24


def read_devkit(tree: Tree, files: list[Parts], root: Path) -> tuple[list[str], list[int]]:
    """The names of all classes in the order of their WordNet ids, and the class of each file.

    Args:
        tree: directory or zip that holds the kit.
        files: the validation images, sorted by name, which is the order of the kit's list.
        root: path of the tree, for messages.

    Raises:
        XaiboardError: the kit is missing or damaged, or its list has another number of images.
    """
    try:
        with tree.open(META) as meta, tree.open(TRUTH) as truth:
            synsets = _leaves(meta.read(MOST_BYTES))
            numbers = [int(line) for line in truth.read(MOST_BYTES).split()]
        ordered = sorted(synsets.values())
        rank = {wordnet: place for place, (wordnet, _) in enumerate(ordered)}
        labels = [rank[synsets[number][0]] for number in numbers]
    except Exception as error:  # SciPy raises all kinds of exceptions on damaged files
        reason = " ".join(str(error).split()) or type(error).__name__
        raise XaiboardError(
            f"the images of '{root}' are in no class folders, and '{KIT}' beside them cannot be read ({reason}),"
            f" expected '{'/'.join(META)}' and '{'/'.join(TRUTH)}'; add them, or sort the images into folders"
        ) from None
    if len(labels) != len(files):
        raise XaiboardError(
            f"'{root}' has {len(files)} validation images, and '{TRUTH[-1]}' lists {len(labels)}, expected as many; add"
            " the missing ones, or sort the images into class folders"
        )
    return [name for _, name in ordered], labels


def _leaves(content: bytes) -> dict[int, tuple[str, str]]:
    """WordNet id and first name of each class, by the number that the kit gives it."""
    from scipy.io import loadmat

    rows = loadmat(BytesIO(content), squeeze_me=True)["synsets"]
    return {
        int(row["ILSVRC2012_ID"]): (str(row["WNID"]), str(row["words"]).partition(",")[0])
        for row in rows
        if int(row["num_children"]) == 0
    }
