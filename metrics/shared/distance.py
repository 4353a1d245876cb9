"""Chebyshev distance of every pixel to a set, a whole batch at a time."""

from itertools import pairwise

import torch
from torch import Tensor
from torch.nn.functional import pad


def chebyshev_distance(chosen: Tensor) -> Tensor:
    """Chebyshev distance of each pixel to the nearest chosen one, ``(B, H, W)``, in the dtype of ``chosen``.

    It is the number of rows or of columns between them, whichever is larger. Four sweeps, down, up, right and left,
    find it exactly, each in one of the four quarters around a pixel. Without a chosen pixel the distance is infinite.

    Args:
        chosen: above 0 at the pixels of the set, 0 elsewhere, ``(B, H, W)``.
    """
    distance = torch.where(chosen > 0, 0.0, torch.inf).to(chosen)
    for lines in (distance.unbind(1), distance.unbind(2)):
        for order in (lines, lines[::-1]):
            for before, line in pairwise(order):
                wide = pad(before, (1, 1), value=torch.inf)
                nearest = torch.minimum(before, torch.minimum(wide[:, :-2], wide[:, 2:]))
                torch.minimum(line, nearest + 1, out=line)
    return distance
