"""Photos: crops of scikit-learn's two sample photographs, for trying networks of ImageNet size without ImageNet."""

from __future__ import annotations

from typing import Annotated, Literal

import numpy as np
from annotated_types import Interval
from PIL import Image

from ..components.decorators import dataset
from ..toolkit.data import Data
from .shared.arrays import as_data
from .shared.scikit_learn import data_file

PHOTOGRAPHS = ("china.jpg", "flower.jpg")
CROPS = {427: (1, 4), 320: (2, 4)}
"""Side of square crops in pixels of a photograph (427 x 640): how many below and beside one another."""

CLASSES = {"photographs": ("monastery", "flower"), "imagenet": ("monastery", "daisy")}
NEAREST = (663, 985)
"""Which of ImageNet's classes come nearest to the photographs: monastery for a temple, and daisy for a dahlia."""


@dataset(source="scikit-learn load_sample_images: china.jpg and flower.jpg, CC BY 2.0")
def photos(
    split: Literal["train", "test"],
    *,
    side: Annotated[int, Interval(ge=8, le=427)] = 224,
    classes: Literal["imagenet", "photographs"] = "imagenet",
) -> Data:
    """12 training and 12 test images ``(3, side, side)``, six of each photograph; crops overlap, across splits too.

    Args:
        split: ``train`` or ``test``: every other crop.
        side: pixels of an image, to which a square crop of 427 or 320 pixels is resized (antialiased, bilinear).
        classes: ``imagenet`` for labels among the 1,000 classes of ImageNet, of which the nearest are taken
            (``monastery`` for a temple, ``daisy`` for a dahlia), or ``photographs`` for two classes, one for each
            photograph.
    """
    crops = [_crops(name, side)[{"train": 0, "test": 1}[split] :: 2] for name in PHOTOGRAPHS]
    number = np.repeat([0, 1], [len(each) for each in crops])
    names = list(CLASSES[classes])
    if classes == "imagenet":
        known: dict[int, str] = dict(zip(NEAREST, names, strict=True))
        number, names = np.array(NEAREST)[number], [known.get(each, f"class {each}") for each in range(1000)]
    return as_data(np.concatenate(crops).transpose(0, 3, 1, 2), number, names, "photos")


def _crops(name: str, side: int) -> np.ndarray:
    """Crops of a photograph, uint8 ``(N, side, side, 3)``."""
    photograph = Image.open(data_file(f"images/{name}"))
    found = []
    for size, (rows, columns) in CROPS.items():
        for top in np.linspace(0, photograph.height - size, rows).round().astype(int).tolist():
            for left in np.linspace(0, photograph.width - size, columns).round().astype(int).tolist():
                crop = photograph.crop((left, top, left + size, top + size))
                found.append(np.asarray(crop.resize((side, side), Image.Resampling.BILINEAR)))
    return np.stack(found)
