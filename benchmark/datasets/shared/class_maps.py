"""Class maps: a file that lists all classes of a network in the order of its logits, for folders with some of them."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ...errors import XaiboardError
from .trees import Tree

JSON_FILES = ("classes.json", "imagenet_class_index.json")
TEXT_FILES = ("LOC_synset_mapping.txt", "synset_words.txt")
"""Files of ImageNet: a line for each class, with its WordNet id, a space and its names."""

MOST_BYTES = 2**24


@dataclass(frozen=True)
class ClassMap:
    """All classes of a network, in the order of its logits.

    Args:
        file: name of the file that lists them.
        ids: what their folders may be called, beside their names; empty where only names are listed.
        names: how they are called.
    """

    file: str
    ids: Sequence[str]
    names: Sequence[str]

    def index(self, folder: str, top: str, root: Path) -> int:
        """The class whose images a folder holds: that of its id, or else that of its name.

        Raises:
            XaiboardError: there is none, or there are several of that name.
        """
        for known in (self.ids, self.names):
            if (count := known.count(folder)) == 1:
                return known.index(folder)
            if count:
                raise XaiboardError(
                    f"'{self.file}' in '{root}' lists {count} classes named '{folder}'; call their folders by their ids"
                )
        raise XaiboardError(
            f"'{root}' has the class folder '{top}/{folder}', and '{self.file}' lists no such class among its"
            f" {len(self.names)}, such as '{(self.ids or self.names)[0]}'; rename the folder, or take it away"
        )


def read_class_map(tree: Tree, root: Path) -> ClassMap | None:
    """The class map in a directory or zip; None if there is none.

    ``classes.json`` is a list of names, an object with the index of each name, or as Keras's
    ``imagenet_class_index.json`` an object with the pair of id and name of each index.

    Raises:
        XaiboardError: the file is damaged, or is none of these.
    """
    file = next((name for name in (*JSON_FILES, *TEXT_FILES) if name in tree.beside), None)
    if file is None:
        return None
    try:
        with tree.open((file,)) as opened:
            content = opened.read(MOST_BYTES + 1)
        if len(content) > MOST_BYTES:
            raise ValueError(f"it has more than {MOST_BYTES} bytes")
        text = content.decode("utf-8-sig")
        return _checked(file, _from_lines(text) if file in TEXT_FILES else _from_json(json.loads(text)))
    except (ValueError, OSError, RecursionError) as error:
        raise XaiboardError(
            f"class map '{file}' in '{root}' cannot be read ({' '.join(str(error).split())}), expected a list of class"
            " names, an object from index to name or to [id, name], or an object from name to index; mend it"
        ) from None


def _from_lines(text: str) -> list[tuple[str, str]]:
    lines = [line.partition(" ") for line in text.splitlines() if line.strip()]
    return [(number, names.partition(",")[0].strip()) for number, _, names in lines]


def _from_json(content: object) -> list[object]:
    """Name, or id and name, of each class, in the order of the classes."""
    if isinstance(content, list):
        return content
    if not isinstance(content, dict) or not content:
        raise ValueError("it is no list and no object with classes")
    count = len(content)
    if all(isinstance(value, int) for value in content.values()):
        content = {str(value): name for name, value in content.items()}
    if set(content) != set(map(str, range(count))):
        raise ValueError(f"its indices are not 0 to {count - 1}, each once")
    return [content[str(number)] for number in range(count)]


def _checked(file: str, entries: Sequence[object]) -> ClassMap:
    pairs = []
    for entry in entries:
        match entry:
            case str() as name:
                pairs.append(("", name))
            case [str() as number, str() as name]:
                pairs.append((number, name))
            case _:
                raise ValueError(f"it has the class {str(entry)[:40]!r}")
    if not pairs or not all(re.match(r"\S", name) and name.isprintable() for _, name in pairs):
        raise ValueError("it has a class without a name that can be shown")
    ids = [number for number, _ in pairs if number]
    names = [name for _, name in pairs]
    if len(ids) not in (0, len(names)):
        raise ValueError(f"it has an id for {len(ids)} of {len(names)} classes only")
    ((often, times),) = Counter(ids or names).most_common(1)
    if times > 1:
        raise ValueError(f"it lists '{often}' {times} times")
    return ClassMap(file, ids, names)
