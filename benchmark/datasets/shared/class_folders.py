"""Class folders of images: which classes there are, and which file is of which."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import torch

from ...errors import XaiboardError, warn
from ...toolkit.data import MissingSplitError
from ...toolkit.streamed_data import StreamedData
from .class_maps import read_class_map
from .devkit import read_devkit
from .image_files import SUFFIXES, ImageFiles
from .resizing import Resizing
from .trees import Parts, Tree, open_tree

OF_SYSTEMS = (".DS_Store", "Thumbs.db", "desktop.ini")
"""Files that every folder has which was seen on a Mac or on Windows."""


def class_folders(
    split: Literal["train", "test"],
    root: Path,
    folders: dict[str, str],
    resizing: Resizing,
    reference: int,
    *,
    usual: Resizing | None = None,
    flat: bool = False,
    ordered: bool = False,
) -> StreamedData:
    """A split whose images lie in a folder for each class; none of them is decoded yet.

    Args:
        split: which.
        root: directory or zip.
        folders: name of the folder of each split.
        resizing: how the user wants images of mixed sizes brought to one.
        reference: of how many images the reference statistics are made; 0 for a number that suits the split.
        usual: how that is done where neither the user nor the network says it; None if images must have one size.
        flat: whether images that lie in no class folders are those of ImageNet's development kit.
        ordered: whether a class map with ids must list the classes in the order of these.

    Raises:
        XaiboardError: there are no class folders, a class has no images or is not in the class map, the map has another
            order, or a link leads out of the folder.
    """
    top = folders[split]
    tree = open_tree(root, list(folders.values()), top)
    there = [parts for parts in tree.files if parts[0] == top]
    files = [parts for parts in there if parts[-1].lower().endswith(SUFFIXES)]
    found = _class_folders(tree, top)
    if flat and files and not found:
        classes, label = read_devkit(tree, files, root)
    elif not found:
        use = ", which gives the reference statistics," if split == "train" else ""
        raise MissingSplitError(
            f"'{root}' has no class folders in '{top}/'; put the {split} images{use} into '{top}/<class>/'"
        )
    else:
        files = [parts for parts in files if len(parts) > 2]
        known = read_class_map(tree, root)
        if known is None:
            classes = _same_classes(tree, folders, found, root)
            index = {name: number for number, name in enumerate(classes)}
            _require_filled(files, top, classes, root)
        else:
            if ordered and list(known.ids) != sorted(known.ids):
                raise XaiboardError(
                    f"'{known.file}' in '{root}' lists the classes in another order than that of their WordNet ids,"
                    " which networks of ImageNet have; take it from another source, or use image-folder:PATH, where a"
                    " class map says the order"
                )
            classes, index = known.names, {name: known.index(name, top, root) for name in found}
        label = [index[parts[1]] for parts in files]
    if not files:
        raise XaiboardError(
            f"'{root}' has no images in '{top}/', expected files that end in {', '.join(SUFFIXES)}; add some"
        )
    _say_ignored(
        "hidden files and links to folders", [parts for parts in tree.ignored if parts[0] == top], root
    )
    _say_ignored("files with other endings or in no class folder", sorted({*there} - {*files}), root)
    names = ["/".join(parts) for parts in files]
    preparation = resizing if resizing.side else usual
    images = ImageFiles(
        names, lambda row: tree.open(files[row]), root, preparation, fixed=bool(resizing.side)
    )
    return StreamedData(images, torch.tensor(label), tuple(classes), reference=reference)


def _class_folders(tree: Tree, top: str) -> set[str]:
    """Names of the class folders in a split's folder."""
    return {parts[1] for parts in tree.folders if parts[0] == top and len(parts) == 2}


def _same_classes(tree: Tree, folders: dict[str, str], found: set[str], root: Path) -> list[str]:
    """Names of a split's class folders, sorted. If there is another split, it must have the same."""
    for top in folders.values():
        there = _class_folders(tree, top)
        if there and there != found:
            odd = min(there ^ found)
            train, test = folders["train"], folders["test"]
            in_train = (train, odd) in tree.folders
            here, missing = (train, test) if in_train else (test, train)
            raise XaiboardError(
                f"'{root}' has the class '{odd}' in '{here}/' but not in '{missing}/', expected the same classes; add"
                f" '{missing}/{odd}/', take '{here}/{odd}/' away, or list all classes of the network in 'classes.json'"
            )
    return sorted(found)


def _require_filled(files: list[Parts], top: str, classes: list[str], root: Path) -> None:
    filled = {parts[1] for parts in files}
    for name in classes:
        if name not in filled:
            raise XaiboardError(
                f"'{root}' has no images in '{top}/{name}', expected files that end in {', '.join(SUFFIXES)};"
                " add some, or take the class away"
            )


def _say_ignored(kind: str, ignored: list[Parts], root: Path) -> None:
    """Says that there are files of a kind that is passed over, which may be somebody's images."""
    found = [parts for parts in ignored if parts[-1] not in OF_SYSTEMS]
    if found:
        first = "/".join(found[0])
        warn(f"{kind} are ignored: {len(found)} in '{root}', such as '{first}'")
