"""The arithmetic of the code that was released with LENS, so that published figures can be compared.

It counts windows along the flat index: they run over the left and right border into the next row, and pixel 0 is in
none. Its diverse sets leave out the second pick. Ties go to the highest flat index (NumPy's sort leaves them open).
"""

from torch import Tensor
from torch.nn.functional import pad

from .greedy import greedy
from .top_pixels import running_max


def flat_dilate(chosen: Tensor, window: int) -> Tensor:
    """The greatest value at most ``window`` flat steps and then as many rows away, ``(B, H, W)``; none at pixel 0.

    Values are at least 0.
    """
    spread = _reach(chosen, window)
    spread[:, 0, 0] = 0
    return spread


def flat_greedy(priority: Tensor, k: int, window: int) -> Tensor:
    """The diverse set of the released code, 1 at its members, ``(B, H, W)``; see :func:`.greedy.greedy`.

    The first pick, then those of the greedy order from the third on: the window of the second is deleted, but it is
    not put out. Pixel 0 is in no window, so it may be that second one, but never in the set.
    """
    first = _highest(priority)
    left = priority * (1 - flat_dilate(first, window))
    head = _highest(left)
    left = left * (1 - flat_dilate(head, window))
    left[:, 0, 0] = 0
    rest = greedy(left, k - 1, lambda values: flat_dilate(values, window)) if k > 1 else left * 0
    chosen = rest + first
    chosen[:, 0, 0] = 0
    return chosen


def _highest(priority: Tensor) -> Tensor:
    """1 at the highest of the positive values, ``(B, H, W)``; nowhere if there are none."""
    return ((priority == priority.amax((1, 2), keepdim=True)) & (priority > 0)).to(priority)


def _reach(chosen: Tensor, window: int) -> Tensor:
    batch, height, width = chosen.shape
    window = min(window, height * width)
    margin = -(-window // width)  # rows: steps beyond an end of the index come back with the rows
    flat = pad(chosen.reshape(batch, 1, -1), (margin * width, margin * width))
    rows = running_max(flat, window, 2).view(batch, height + 2 * margin, width)
    return running_max(rows, window, 1)[:, margin : margin + height].clone()
