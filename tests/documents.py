"""Code blocks of the documents, and a folder in which a reader would try them."""

from __future__ import annotations

import re
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from PIL import Image
from safetensors.torch import save_file

ROOT = Path(__file__).parents[1]


class Block(NamedTuple):
    """A code block: its language, and its text. ``sh`` and ``python`` are run, others are shown."""

    language: str
    text: str

    @property
    def file(self) -> str:
        """The file that the block is, if its first line names one: ``# squared.py``."""
        named = re.match(r"# (\w+\.\w+)\n", self.text)
        return named[1] if named else ""


def blocks(document: str) -> list[Block]:
    """The code blocks of a document, in order."""
    text = (ROOT / document).read_text("utf-8")
    return [Block(*found) for found in re.findall(r"^```(\w+)\n(.*?)^```$", text, re.DOTALL | re.MULTILINE)]


def lines(block: Block) -> list[str]:
    """The commands of a block for the shell; a backslash at the end of a line continues it."""
    return [line for line in block.text.replace("\\\n", " ").splitlines() if line]


def prepare(folder: Path, document: str) -> None:
    """Puts into ``folder`` what a reader of the document has there.

    The files that its blocks are, weights for ``mymodel``, images in ``shapes``, and the published results.
    """
    for block in blocks(document):
        if block.file:
            (folder / block.file).write_text(block.text)
    generator = torch.Generator().manual_seed(0)
    weight, bias = torch.randn(2, 3 * 16 * 16, generator=generator), torch.zeros(2)
    save_file({"1.weight": weight, "1.bias": bias}, folder / "mymodel.safetensors")
    noise = np.random.default_rng(0)
    for split, count in (("train", 3), ("test", 4)):
        for name in ("round", "square"):
            images = folder / "shapes" / split / name
            images.mkdir(parents=True)
            for index in range(count):
                pixels = noise.integers(0, 256, (16, 16, 3), dtype=np.uint8)
                Image.fromarray(pixels).save(images / f"{index}.png")
    (folder / "results").symlink_to(ROOT / "results")
