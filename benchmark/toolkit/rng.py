"""Random numbers that are drawn for each sample, and do not depend on the batch in which it is."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from hashlib import sha256
from math import prod

import numpy as np
import torch
from numpy.random import Generator, Philox
from numpy.random.bit_generator import ISeedSequence
from torch import Tensor

AT_ONCE = 50_000
"""Numbers that are kept in float64 before they are rounded: 400 kB, which stay in the cache of a core."""


def seed_word(seed: int, purpose: str) -> int:
    """64 bits that stand for a seed and a purpose."""
    return int.from_bytes(sha256(f"{seed}/{purpose}".encode()).digest()[:8], "little")


class _Key(ISeedSequence):
    """A key for Philox, which takes three times as long where it is given ``key=``: it then gathers entropy as well."""

    def __init__(self, *words: int) -> None:
        self._words = np.array(words, dtype=np.uint64)

    def generate_state(self, n_words: int, dtype: object = np.uint64) -> np.ndarray:
        return self._words


class SampleRng:
    """A counter-based stream (Philox) for each sample, whose key is the seed of the run, the sample's id and a purpose.

    With the same seed, sample and purpose, the same numbers are drawn. A score thus does not depend on batch size,
    order, resumption or the number of workers. Numbers are drawn in float64 on the CPU, and then converted to the dtype
    and device of ``like``.

    Args:
        seed: seed of the run. Components use ``rng.seed`` for what all samples share, such as a random network.
        samples: ids of the samples of the batch, ``(B,)``.
        purpose: what the numbers are for; components use their own name.

    Attributes:
        streams: the generator of each sample. To draw many small arrays from one, and then from the next, takes half as
            long as to go from one to the other: a network that runs in between has them all leave the cache.
    """

    def __init__(self, seed: int, samples: Sequence[int], purpose: str) -> None:
        self.seed = seed
        word = seed_word(seed, purpose)
        keys = (_Key(word, int(sample)) for sample in samples)
        self.streams = [Generator(Philox(key)) for key in keys]  # pyright: ignore[reportArgumentType] - it takes any

    def only(self, row: int) -> SampleRng:
        """The stream of one sample of the batch, which goes on from where it is."""
        alone = SampleRng(self.seed, (), "")
        alone.streams = [self.streams[row]]
        return alone

    def uniform(self, like: Tensor, low: float = 0.0, high: float = 1.0) -> Tensor:
        """Uniform in ``[low, high)``, shaped like ``like``, ``(B, ...)``."""
        return self._filled(like, lambda stream, row: stream.random(out=row), high - low, low)

    def normal(self, like: Tensor, sigma: float = 1.0) -> Tensor:
        """Gaussian with mean 0 and deviation ``sigma``, shaped like ``like``, ``(B, ...)``."""
        return self._filled(like, lambda stream, row: stream.standard_normal(out=row), sigma)

    def sign(self, like: Tensor) -> Tensor:
        """-1 or +1 with equal probability, shaped like ``like``, ``(B, ...)``."""

        def fill(stream: Generator, row: np.ndarray) -> None:
            row[:] = stream.integers(0, 2, len(row))

        return self._filled(like, fill, 2.0, -1.0)

    def permutation(self, like: Tensor, length: int) -> Tensor:
        """A permutation of ``0 ... length - 1`` for each sample, int64 ``(B, length)``, on the device of ``like``."""
        drawn = np.empty((len(self.streams), length), dtype=np.int64)
        drawn[:] = np.arange(length)
        for row, stream in zip(drawn, self.streams, strict=True):
            stream.shuffle(row)
        return torch.from_numpy(drawn).to(like.device)

    def _filled(
        self,
        like: Tensor,
        fill: Callable[[Generator, np.ndarray], object],
        scale: float,
        offset: float = 0.0,
    ) -> Tensor:
        """``offset + scale`` times what ``fill`` writes for each stream, computed in float64 and rounded once."""
        if len(self.streams) != len(like):
            raise ValueError(f"this generator serves {len(self.streams)} samples, asked for {len(like)}")
        size = prod(like.shape[1:])
        kind = np.float32 if like.dtype == torch.float32 else np.float64
        numbers = np.empty((len(like), size), dtype=kind)
        together = max(1, AT_ONCE // max(1, size))
        for start in range(0, len(like), together):
            streams = self.streams[start : start + together]
            drawn = np.empty((len(streams), size))
            for stream, row in zip(streams, drawn, strict=True):
                fill(stream, row)
            drawn *= scale
            drawn += offset
            numbers[start : start + together] = drawn
        return torch.from_numpy(numbers.reshape(like.shape)).to(like)
