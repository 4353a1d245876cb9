"""Block digits: where digit, null block and mask are, and that their order does not depend on the label."""

import torch
from xaiboard.benchmark.datasets.block_digits import block_digits, null_block
from xaiboard.benchmark.subjects.datasets import load_data
from xaiboard.benchmark.toolkit.data import Data


def _halves(data: Data) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Upper and lower blocks ``(N, 28, 28)``, and whether the digit is the upper one ``(N,)``."""
    assert data.mask is not None
    return data.x[:, 0, :28], data.x[:, 0, 28:], data.mask[:, 0, 0, 0]


def test_shapes_and_labels() -> None:
    for split in ("train", "test"):
        data, digits = load_data("block-digits", split=split), load_data("digits", split=split)
        assert data.mask is not None
        assert data.x.shape == (len(digits), 1, 56, 28)
        assert data.mask.shape == data.x.shape
        assert data.mask.dtype == torch.bool
        assert torch.equal(data.label, digits.label)


def test_the_mask_is_the_digit_block_and_the_rest_the_null_block() -> None:
    data, digits = load_data("block-digits"), load_data("digits")
    assert data.mask is not None
    assert torch.equal(data.x[data.mask].reshape(-1, 28, 28), digits.x[:, 0])
    assert (data.x[~data.mask].reshape(-1, 28, 28) == null_block()).all()
    upper, lower, above = _halves(data)
    assert torch.equal(data.mask[:, 0, :28].flatten(1).all(1), above)
    assert torch.equal(data.mask[:, 0, 28:].flatten(1).any(1), ~above)
    assert torch.equal(torch.where(above[:, None, None], upper, lower), digits.x[:, 0])


def test_both_orders_are_as_frequent_for_every_label() -> None:
    train = load_data("block-digits", split="train")
    above = _halves(train)[2].float()
    assert abs(above.mean() - 0.5) < 4 * 0.5 / len(train) ** 0.5
    for label in range(10):
        chosen = above[train.label == label]
        assert abs(chosen.mean() - 0.5) < 4 * 0.5 / len(chosen) ** 0.5


def test_the_order_is_the_same_every_time_and_differs_between_splits() -> None:
    assert block_digits("test").digest == block_digits("test").digest
    assert not torch.equal(_halves(block_digits("test"))[2], _halves(block_digits("train"))[2][:449])


def test_the_null_block_is_as_bright_as_a_digit() -> None:
    digits = load_data("digits", split="train").x
    assert null_block().max() == 1
    assert abs(null_block().mean() - digits.mean()) < 0.05
    assert torch.equal(null_block(), null_block().T)
    assert torch.equal(null_block(), null_block().flip(0))
