"""Fashion-MNIST: articles of clothing."""

from __future__ import annotations

from typing import Literal

from ..components.decorators import dataset
from ..toolkit.data import Data
from .shared.idx import load_idx

URL = "https://raw.githubusercontent.com/zalandoresearch/fashion-mnist/master/data/fashion/"

MD5 = {
    "train-images-idx3-ubyte": "8d4fb7e6c68d591d4c3dfef9ec88bf0d",
    "train-labels-idx1-ubyte": "25c81989df183df01b3e8a0aad5dffbe",
    "t10k-images-idx3-ubyte": "bef4ecab320f06d8554ea6380940ec79",
    "t10k-labels-idx1-ubyte": "bb300cfdad3c16e7a12a480ee83cd310",
}

CLASSES = (
    "T-shirt/top",
    "Trouser",
    "Pullover",
    "Dress",
    "Coat",
    "Sandal",
    "Shirt",
    "Sneaker",
    "Bag",
    "Ankle boot",
)


@dataset(name="fashion-mnist", remote=True, source="Xiao et al. 2017, arXiv:1708.07747")
def fashion_mnist(split: Literal["train", "test"]) -> Data:
    """60,000 training and 10,000 test images ``(1, 28, 28)``, white on black."""
    return load_idx("fashion-mnist", split, url=URL, md5=MD5, classes=CLASSES)
