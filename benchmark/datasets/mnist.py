"""MNIST: handwritten digits."""

from __future__ import annotations

from typing import Literal

from ..components.decorators import dataset
from ..toolkit.data import Data
from .shared.idx import load_idx

URL = "https://ossci-datasets.s3.amazonaws.com/mnist/"
"""A mirror; the authors' own server no longer hands the files out."""

MD5 = {
    "train-images-idx3-ubyte": "f68b3c2dcbeaaa9fbdd348bbdeb94873",
    "train-labels-idx1-ubyte": "d53e105ee54ea40749a09fcbcd1e9432",
    "t10k-images-idx3-ubyte": "9fb629c4189551a2d022fa330f9573f3",
    "t10k-labels-idx1-ubyte": "ec29112dd5afa0611ce80d1b7f02629c",
}


@dataset(remote=True, source="LeCun, Cortes & Burges 1998")
def mnist(split: Literal["train", "test"]) -> Data:
    """60,000 training and 10,000 test images ``(1, 28, 28)``, white on black."""
    return load_idx("mnist", split, url=URL, md5=MD5, classes="0123456789")
