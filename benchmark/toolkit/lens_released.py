"""The arithmetic of the code that was released with LENS, for comparison with published figures.

That code computes windows along the flat index of pixels. They therefore run over the left and right border into the
next row, and pixel 0 is in no window. Its diverse sets leave out the second pick. Ties go to the highest flat index
here; there NumPy's sort leaves them open.
"""

from torch import Tensor
from torch.nn.functional import pad

from .greedy import greedy
from .top_pixels import running_max


def flat_dilate(chosen: Tensor, window: int) -> Tensor:
    """Largest value at most ``window`` steps along the flat index, and then as many rows, away, ``(B, H, W)``.

    Values are at least 0; the result is 0 at pixel 0.
    """
    spread = _reach(chosen, window)
    spread[:, 0, 0] = 0
    return spread


def flat_greedy(priority: Tensor, k: int, window: int) -> Tensor:
    """1 at the members of the diverse set of the released code, ``(B, H, W)``; see :func:`.greedy.greedy`.

    It has the first greedy pick, and those from the third on. The second pick removes its window, but is not put into
    the set. Pixel 0 is in no window; it may be the second pick, but is never in the set.
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
    """1 at the highest value, if it is positive, 0 elsewhere, ``(B, H, W)``."""
    return ((priority == priority.amax((1, 2), keepdim=True)) & (priority > 0)).to(priority)


def _reach(chosen: Tensor, window: int) -> Tensor:
    batch, height, width = chosen.shape
    window = min(window, height * width)
    margin = -(
        -window // width
    )  # rows of padding: steps beyond an end of the flat index wrap around into them
    flat = pad(chosen.reshape(batch, 1, -1), (margin * width, margin * width))
    rows = running_max(flat, window, 2).view(batch, height + 2 * margin, width)
    return running_max(rows, window, 1)[:, margin : margin + height].clone()
