"""Random numbers that are drawn for each sample, and do not depend on the batch in which it is."""

from __future__ import annotations

from collections.abc import Callable, Sequence
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
        return self._filled(like, lambda stream: stream.uniform(low, high, shape))

    def normal(self, like: Tensor, sigma: float = 1.0) -> Tensor:
        """Gaussian with mean 0 and deviation ``sigma``, shaped like ``like``, ``(B, ...)``."""
        shape = like.shape[1:]
        return self._filled(like, lambda stream: sigma * stream.standard_normal(shape))

    def sign(self, like: Tensor) -> Tensor:
        """-1 or +1 with equal probability, shaped like ``like``, ``(B, ...)``."""
        shape = like.shape[1:]
        return self._filled(like, lambda stream: 2.0 * stream.integers(0, 2, shape) - 1.0)

    def permutation(self, like: Tensor, length: int) -> Tensor:
        """A permutation of ``0 ... length - 1`` for each sample, int64 ``(B, length)``, on the device of ``like``."""
        drawn = np.empty((len(self._streams), length), dtype=np.int64)
        for row, stream in zip(drawn, self._streams, strict=True):
            row[:] = stream.permutation(length)
        return torch.from_numpy(drawn).to(like.device)

    def _filled(self, like: Tensor, draw: Callable[[np.random.Generator], np.ndarray]) -> Tensor:
        """What is drawn from each stream, rounded where it is written: to keep all of it in float64 takes time."""
        if len(self._streams) != len(like):
            raise ValueError(f"this generator serves {len(self._streams)} samples, asked for {len(like)}")
        kind = np.float32 if like.dtype == torch.float32 else np.float64
        numbers = np.empty(tuple(like.shape), dtype=kind)
        for row, stream in enumerate(self._streams):
            numbers[row] = draw(stream)
        return torch.from_numpy(numbers).to(like)
