"""Settings in pixels whose defaults grow with the image: the numbers, what names hold, and calls without the suite."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
import torch
import xaiboard.benchmark as xb
from torch import Tensor, nn
from xaiboard.benchmark.components.choice import choose
from xaiboard.benchmark.components.kinds import Component
from xaiboard.benchmark.runs import planning
from xaiboard.benchmark.toolkit.data import Data
from xaiboard.benchmark.toolkit.per_side import Sized

LARGE, SMALL, TALL = (3, 227, 227), (1, 28, 28), (1, 56, 28)

AT_227 = {
    "deletion": {"patch": 33, "blur": 41}, "insertion": {"patch": 33, "blur": 41},
    "srg": {"blur": 41}, "sufficiency": {"blur": 41}, "comprehensiveness": {"blur": 41},
    "completeness": {"blur": 41}, "mu_fidelity": {"blur": 41}, "sensitivity_n": {"blur": 41},
    "monotonicity_arya": {"blur": 41}, "monotonicity_nguyen": {"patch": 33}, "infidelity": {"patch": 81, "blur": 41},
    "lens_recall": {"k": 811, "window": 4}, "lens_precision": {"k": 811, "window": 4},
    "topk_intersection_div": {"window": 8}, "lens_recall_div": {"window": 8}, "lens_precision_div": {"window": 8},
    "lens_spearman": {"window": 4}, "lens_kendall": {"window": 4}, "lens_curve": {"k": 811},
    "topk_intersection": {"k": 811}, "agreement": {"k": 811}, "ssim": {"sigma": 12.16},
    "feature_ablation": {"patch": 33}, "occlusion": {"window": 33, "stride": 17}, "blurred": {"sigma": 16},
    "lime": {"draws": 256, "patch": 33}, "kernel_shap": {"draws": 256, "patch": 33}, "shapley_sampling": {"patch": 33},
    "topk_attack": {"k": 811}, "lens_attack": {"k": 811, "window": 4}, "best_of_random": {"k": 811},
    "target_attack": {"side": 65}, "shift": {"pixels": 8},
}  # fmt: skip
"""Every default that grows, by component."""

ENTRIES: Mapping[str, Component] = {**xb.methods, **xb.metrics, **xb.perturbations}


def test_every_default_that_grows_is_known_at_227_and_a_plain_number() -> None:
    found = {}
    for name, entry in ENTRIES.items():
        grows = [each.name for each in entry.settings.values() if each.grows]
        at = choose(entry).at(LARGE).settings
        if grows and entry.built_in:
            found[name] = {each: at[each] for each in grows}
            assert not any(isinstance(value, Sized) for value in at.values())
    assert found == AT_227


@pytest.mark.parametrize("shape", [SMALL, TALL])
def test_names_and_identities_at_28_are_those_without_a_size(shape: tuple[int, ...]) -> None:
    for name in AT_227:
        plain, sized = choose(ENTRIES[name]), choose(ENTRIES[name]).at(shape)
        assert (sized.label, sized.settings_text) == (name, plain.settings_text)
        assert repr(sized.identity) == repr(plain.identity)


def test_a_patch_of_a_vector_is_one_feature_and_k_the_same_share_of_the_features() -> None:
    """And what needs an image keeps its default for 28 pixels."""
    for name, grows in AT_227.items():
        at, usual = (choose(ENTRIES[name]).at(shape) for shape in ((30,), SMALL))
        assert {key: at.settings[key] for key in grows} == {
            key: AT_30_FEATURES.get(key, usual.settings[key]) for key in grows
        }
        assert at.label == name
    assert choose(xb.metrics["agreement"]).at((3,)).settings["k"] == 1
    assert choose(xb.methods["lime"]).at((98,)).settings["draws"] == 512


AT_30_FEATURES = {"patch": 1, "window": 1, "stride": 1, "k": 4}


def test_a_name_leaves_the_default_of_the_size_out_and_an_identity_holds_it() -> None:
    deletion = xb.metrics["deletion"]
    usual, given, old = (choose(deletion, each).at(LARGE) for each in ({}, {"patch": "33"}, {"patch": "4"}))
    assert usual.label == given.label == "deletion"
    assert usual.settings_text == given.settings_text == "baseline=zero,steps=28,orders=10,blur=41,patch=33"
    assert old.label == "deletion[patch=4]"
    assert old.identity["settings"] == {**usual.identity["settings"], "patch": 4}  # type: ignore[dict-item]


def test_pixels_that_are_given_are_no_default_before_the_size_is_known() -> None:
    """Both may be selected: they are the same at 28 pixels only, where one of them goes."""
    chosen = [choose(xb.methods["occlusion"], each) for each in ({}, {"window": 4})]
    assert [each.label for each in chosen] == ["occlusion", "occlusion[window=4]"]
    at_28, at_56 = (_planned(chosen, size) for size in (28, 56))
    assert (at_28, at_56) == (["occlusion"], ["occlusion", "occlusion[window=4]"])


def _planned(chosen: list, side: int) -> list[str]:
    data = Data(torch.zeros(1, 1, side, side), torch.zeros(1, dtype=torch.int64), ["a"])
    return [choice.label for choice in planning._at_size(data, chosen)]


def test_the_method_behind_another_one_has_the_defaults_of_the_size() -> None:
    choice = choose(xb.methods["blurred"], {"of": "occlusion"}).at(LARGE)
    assert choice.identity["base"]["settings"] == {"window": 33, "stride": 17, "baseline": 0.0}  # type: ignore[index]
    assert choice.settings_text == "of=occlusion,sigma=16"


def test_draws_follow_the_number_of_segments() -> None:
    lime = xb.methods["lime"]
    assert choose(lime, {"patch": 4}).at(LARGE).settings["draws"] == 16975  # 57 x 57 patches
    assert choose(lime, {"patch": 2}).at(SMALL).settings["draws"] == 256
    assert choose(lime, {"patch": 4, "draws": 9}).at(LARGE).settings["draws"] == 9
    assert choose(lime, {"segments": "slic"}).at(LARGE).label == "lime[segments=slic]"


@pytest.mark.parametrize("name", AT_227)
def test_a_direct_call_has_the_defaults_of_the_size(name: str) -> None:
    """As the suite calls it; and unlike a call with the numbers for 28 pixels, so that this would be seen."""
    entry, values = ENTRIES[name], _values()
    given = {each: value for each, value in FEW.items() if each in entry.settings}
    given |= {"baseline": "blur"} if "blur" in entry.settings else {}
    of_shared = {each for value in getattr(entry, "shared", {}).values() for each in value.supplied}
    known = {each: value for each, value in values.items() if each in {*entry.supplied, *of_shared}}

    def call(**settings: object) -> Tensor:
        returned = entry(**known, **{**settings, **given})
        columns = returned.values() if isinstance(returned, dict) else [returned]
        return torch.cat([getattr(each, "score", each).flatten() for each in columns])

    direct, planned = call(), call(**choose(entry, given).at(SIZE).settings)
    assert torch.equal(direct, planned)
    assert not torch.equal(direct, call(**choose(entry, given).at(SMALL).settings))


SIZE = (1, 96, 100)

FEW: Mapping[str, object] = {
    "draws": 3, "steps": 12, "sizes": 2, "orders": 1, "restarts": 1, "measure": "intersection",
}  # fmt: skip
"""Settings with which a call is short, and those without which a size does nothing."""


def _values() -> dict[str, object]:
    """What components are supplied with, for one image."""
    random = torch.Generator().manual_seed(0)
    x, a, b = (torch.rand(1, *SIZE, generator=random) for _ in range(3))
    with torch.random.fork_rng():
        torch.manual_seed(0)
        model = nn.Sequential(nn.Flatten(), nn.Linear(x.numel(), 4), nn.Tanh(), nn.Linear(4, 3)).eval()
    return {
        "model": model, "x": x, "target": torch.tensor([2]), "logits": model(x).detach(), "attribution": a,
        "other_attribution": b, "perturbed_attribution": b, "explain": lambda z: (9 * z * a).cos(),
        "method": "saliency", "other_model": model,
    }  # fmt: skip
