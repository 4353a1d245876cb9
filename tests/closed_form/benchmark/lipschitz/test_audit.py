"""``xaiboard audit``: what it prints of a model, and which models fail it."""

from __future__ import annotations

import pytest
import torch
import xaiboard.benchmark as xb
from torch import Tensor, nn
from xaiboard.benchmark.lipschitz.audit import describe_audit


class Twice(nn.Module):
    """Claims to be 1-Lipschitz and is not."""

    lipschitz = 1.0

    def forward(self, x: Tensor) -> Tensor:
        return 2 * x


class Unknown(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return x


def audited(layer: nn.Module, scale: float = 1.0, claims: float | None = 1.0) -> tuple[str, bool]:
    """The audit of an orthogonal layer, scaled, after ``layer``."""

    @xb.model(name="net", family="own", dataset="tiny", lipschitz=claims)
    def _net() -> nn.Module:
        head = nn.Linear(64, 4, bias=False)
        with torch.random.fork_rng():
            torch.manual_seed(0)
            nn.init.orthogonal_(head.weight, scale)
        return nn.Sequential(nn.Flatten(), layer, head)

    return describe_audit("net", "tiny")


def test_an_orthogonal_layer_passes_and_its_bound_is_exact(tiny: str) -> None:
    text, passed = audited(nn.Identity())
    assert passed
    assert (
        "Lipschitz constant (L2): at most 1, at least 1 (ascent from 12 test images); lower/upper 1.000"
        in text
    )
    assert "certified accuracy (L2): " in text
    assert text.endswith("audit passed")


@pytest.mark.parametrize(
    ("layer", "scale", "claims", "line"),
    [
        (nn.Identity(), 1.01, 1.0, "certificates: none, the model claims 1 and does not pass"),
        (Twice(), 1.0, 1.0, "certificates: none, the slopes that were met contradict the upper bound"),
        (Twice(), 0.5, 1.0, "certificates: none, the slopes that were met contradict the upper bound"),
        (Twice(), 1.0, None, "certificates: none, the slopes that were met contradict the upper bound"),
        (Unknown(), 1.0, 1.0, "certificates: none, the model claims 1 and does not pass"),
    ],
)
def test_who_fails(tiny: str, layer: nn.Module, scale: float, claims: float | None, line: str) -> None:
    text, passed = audited(layer, scale, claims)
    assert not passed
    assert line in text
    assert "certified accuracy" not in text
    assert text.endswith("audit NOT passed")


@pytest.mark.parametrize("layer", [nn.Identity(), Unknown()])
def test_a_model_that_claims_nothing_has_a_lower_bound_and_no_certificate(
    tiny: str, layer: nn.Module
) -> None:
    text, passed = audited(layer, scale=3.0, claims=None)
    assert passed
    assert "at least 3 (ascent" in text
    assert ("no upper bound: layer 'Unknown'" in text) == isinstance(layer, Unknown)
    assert "certificates: none, the model claims no Lipschitz constant" in text


def test_a_shipped_model_fits_its_card() -> None:
    text, passed = describe_audit("lipmlp.hkr", "digits")
    assert passed
    assert "weights: SHA-256 as on the card" in text
    assert "card: 0." in text
