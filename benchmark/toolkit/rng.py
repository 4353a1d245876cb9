"""Random numbers that are drawn for each sample, and do not depend on the batch in which it is."""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha256

import numpy as np
import torch
from torch import Tensor


def seed_word(seed: int, purpose: str) -> int:
    """64 bits that stand for a seed and a purpose."""
    return int.from_bytes(sha256(f"{seed}/{purpose}".encode()).digest()[:8], "little")


class SampleRng:
    """A counter-based stream (Philox) for each sample, whose key is the seed of the run, the sample's id and a purpose.

    With the same seed, sample and purpose, the same numbers are drawn. A score thus does not depend on batch size,
    order, resumption or the number of workers. Numbers are drawn in float64 on the CPU, and then converted to the dtype
    and device of ``like``.

    Args:
        seed: seed of the run. Components use ``rng.seed`` for what all samples share, such as a random network.
        samples: ids of the samples of the batch, ``(B,)``.
        purpose: what the numbers are for; components use their own name.
    """

    def __init__(self, seed: int, samples: Sequence[int], purpose: str) -> None:
        self.seed = seed
        word = seed_word(seed, purpose)
        keys = (np.array([word, int(sample)], dtype=np.uint64) for sample in samples)
        self._streams = [np.random.Generator(np.random.Philox(key=key)) for key in keys]

    def only(self, row: int) -> SampleRng:
        """The stream of one sample of the batch, which goes on from where it is."""
        alone = SampleRng(self.seed, (), "")
        alone._streams = [self._streams[row]]
        return alone

    def uniform(self, like: Tensor, low: float = 0.0, high: float = 1.0) -> Tensor:
        """Uniform in ``[low, high)``, shaped like ``like``, ``(B, ...)``."""
        shape = like.shape[1:]
        return self._stack([stream.uniform(low, high, shape) for stream in self._streams], like)

    def normal(self, like: Tensor, sigma: float = 1.0) -> Tensor:
        """Gaussian with mean 0 and deviation ``sigma``, shaped like ``like``, ``(B, ...)``."""
        shape = like.shape[1:]
        return self._stack([sigma * stream.standard_normal(shape) for stream in self._streams], like)

    def sign(self, like: Tensor) -> Tensor:
        """-1 or +1 with equal probability, shaped like ``like``, ``(B, ...)``."""
        shape = like.shape[1:]
        return self._stack([2.0 * stream.integers(0, 2, shape) - 1.0 for stream in self._streams], like)

    def permutation(self, like: Tensor, length: int) -> Tensor:
        """A permutation of ``0 ... length - 1`` for each sample, int64 ``(B, length)``, on the device of ``like``."""
        drawn = np.stack([stream.permutation(length) for stream in self._streams])
        return torch.from_numpy(drawn).to(like.device)

    def _stack(self, drawn: list[np.ndarray], like: Tensor) -> Tensor:
        if len(drawn) != len(like):
            raise ValueError(f"this generator serves {len(drawn)} samples, asked for {len(like)}")
        return torch.from_numpy(np.stack(drawn)).to(like)
