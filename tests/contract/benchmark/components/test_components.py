"""What a component may look like, what its settings read, and calls by keyword."""

from __future__ import annotations

from math import inf, nan
from typing import Any, Literal

import captum.attr
import pytest
import torch
import xaiboard.benchmark as xb
from torch import Tensor, nn
from xaiboard.benchmark.components.choice import Choice, choose
from xaiboard.benchmark.components.decorators import make_method, make_metric
from xaiboard.benchmark.components.registry import Registry
from xaiboard.benchmark.components.setting import Setting
from xaiboard.benchmark.components.signature import VOCABULARY
from xaiboard.benchmark.errors import XaiboardError


@pytest.mark.parametrize("kind", ["method", "metric", "perturbation"])
def test_a_name_outside_the_vocabulary_is_refused_with_the_vocabulary(kind: str) -> None:
    def wrong(inputs):  # noqa: ANN001, ANN202
        return inputs

    register = {
        "method": xb.method(),
        "metric": xb.metric(family="own", higher_is_better=True),
        "perturbation": xb.perturbation(),
    }[kind]
    with pytest.raises(XaiboardError) as caught:
        register(wrong)
    assert f"{kind} 'wrong' asks for 'inputs'" in str(caught.value)
    assert all(name in str(caught.value) for name in VOCABULARY[kind])


def test_shared_values_extend_the_vocabulary_of_their_metric_only() -> None:
    def brightness(x: Tensor) -> Tensor:
        return x.flatten(1).mean(1)

    def uses(attribution: Tensor, brightness: Tensor) -> Tensor:
        return brightness

    assert make_metric(uses, shared=[brightness]).supplied == ("attribution", "brightness")
    with pytest.raises(XaiboardError, match="asks for 'brightness'"):
        make_metric(uses)


def test_open_ended_parameters_are_refused() -> None:
    def keywords(x, **kwargs):  # noqa: ANN001, ANN003, ANN202
        return x

    def positions(x, *args):  # noqa: ANN001, ANN002, ANN202
        return x

    with pytest.raises(XaiboardError, match=r"takes '\*\*kwargs'"):
        make_method(keywords)
    with pytest.raises(XaiboardError, match=r"takes '\*args'"):
        make_method(positions)


def test_a_setting_without_default_is_refused() -> None:
    def unset(x, *, steps):  # noqa: ANN001, ANN202
        return x

    with pytest.raises(XaiboardError, match="method 'unset': setting 'steps' needs a default"):
        make_method(unset)


def test_a_shared_value_must_not_have_settings_of_its_own() -> None:
    def curves(x: Tensor, *, steps: int = 3) -> Tensor:
        return x

    def lacks(curves: Tensor) -> Tensor:
        return curves

    with pytest.raises(XaiboardError, match="shares 'curves', whose setting 'steps' it does not have"):
        make_metric(lacks, shared=[curves])


@pytest.mark.parametrize("heavy", ["x", "attribution", "explain", "model", "certificate", "rng", "mask"])
def test_a_metric_of_all_samples_may_not_ask_for_what_is_large(heavy: str) -> None:
    def brightness(x: Tensor) -> Tensor:
        return x.flatten(1).mean(1)

    def light(logits: Tensor, label: Tensor, target: Tensor, brightness: Tensor) -> Tensor:
        return brightness

    assert make_metric(light, shared=[brightness], whole=True).whole
    scope: dict = {}
    exec(f"def greedy(logits, {heavy}, *, k=1):\n    return logits", scope)  # noqa: S102
    assert make_metric(scope["greedy"]).supplied == ("logits", heavy)
    with pytest.raises(
        XaiboardError, match=f"'greedy' is called with all samples at once and asks for '{heavy}'"
    ):
        make_metric(scope["greedy"], whole=True)


@pytest.mark.parametrize("bounds", [(1, 0), (0, 0), (0, nan), (0,), (0, 1, 2), 1, "01", ("0", "1")])
def test_a_range_is_two_bounds(bounds: Any) -> None:  # noqa: ANN401 - whatever a plug-in may say
    def score(attribution: Tensor) -> Tensor:
        return attribution.flatten(1).sum(1)

    with pytest.raises(
        XaiboardError, match="the range of 'score' must be its smallest and its largest score, as in"
    ):
        make_metric(score, range=bounds)
    with pytest.raises(XaiboardError, match=r"the range of 'score\.part' must be"):
        make_metric(score, columns={"part": xb.Column(range=bounds)})


def test_a_range_is_no_part_of_an_identity() -> None:
    def score(attribution: Tensor) -> Tensor:
        return attribution.flatten(1).sum(1)

    bounded, silent = (choose(make_metric(score, range=bounds)) for bounds in ((0, inf), None))
    assert bounded.component.column("").range == (0, inf)
    assert bounded.identity == silent.identity


@pytest.mark.parametrize("name", ["with space", "a,b", "a[b]", "a/b", "<lambda>", "a=b"])
def test_names_that_selections_cannot_hold_are_refused(name: str) -> None:
    with pytest.raises(XaiboardError, match="may have letters"):
        make_method(lambda x: x, name=name)


def test_a_metric_name_has_no_dot() -> None:
    def score(attribution: Tensor) -> Tensor:
        return attribution.flatten(1).sum(1)

    with pytest.raises(XaiboardError, match=r"may have no '.'"):
        make_metric(score, name="my.score")
    assert make_method(lambda x: x, name="my.method").name == "my.method"


def test_a_name_belongs_to_one_function() -> None:
    def first() -> None:
        @xb.method(name="same")
        def one(x):  # noqa: ANN001, ANN202
            return x

    def second() -> None:
        @xb.method(name="same")
        def two(x):  # noqa: ANN001, ANN202
            return x

    first()
    old = xb.methods["same"]
    first()  # as when a notebook's cell runs again
    assert xb.methods["same"].function is not old.function
    with pytest.raises(XaiboardError, match=r"two methods named 'same': .*one.* and .*two.*; rename one"):
        second()


def test_a_decorator_returns_the_function_untouched() -> None:
    def plain(x):  # noqa: ANN001, ANN202
        return x

    assert xb.method()(plain) is plain
    assert xb.methods["plain"].function is plain


# settings


CASES = [
    (True, "false", False), (True, "False", False), (True, False, False), (3, "5", 5), (3, 5, 5), (3, "-2", -2),
    (0.1, "0.25", 0.25), (0.1, "1e-3", 1e-3), (0.1, 2, 2.0), (0.1, "3", 3.0), ("zero", "mean", "mean"),
    (None, "3", 3), (None, "0.5", 0.5), (None, "word", "word"), (None, 7, 7),
]  # fmt: skip


@pytest.mark.parametrize(("default", "given", "expected"), CASES)
def test_a_setting_takes_the_type_of_its_default(default: object, given: object, expected: object) -> None:
    parsed = Setting("s", default).parse("owner", given)
    assert parsed == expected
    assert type(parsed) is type(expected)


@pytest.mark.parametrize(
    ("default", "given", "wanted"),
    [
        (True, "yes", "bool"), (True, 1, "bool"), (3, "2.5", "int, as in s=3"), (3, 2.5, "int"), (3, True, "int"),
        (0.1, "small", "float, as in s=0.1"), (0.1, True, "float"), ("zero", 3, "str, as in s=zero"),
    ],
)  # fmt: skip
def test_a_value_of_another_type_is_refused(default: object, given: object, wanted: str) -> None:
    with pytest.raises(XaiboardError, match="setting 's' of 'owner' must be") as caught:
        Setting("s", default).parse("owner", given)
    assert wanted in str(caught.value)
    assert str(given) in str(caught.value)


def test_literals_are_choices() -> None:
    def deleted(x: Tensor, *, baseline: Literal["zero", "mean"] = "zero", level: Literal[1, 2] = 1) -> Tensor:
        return x

    entry = make_method(deleted)
    assert entry.settings["baseline"].choices == ("zero", "mean")
    assert choose(entry, {"baseline": "mean", "level": "2"}).settings == {"baseline": "mean", "level": 2}
    with pytest.raises(
        XaiboardError, match="setting 'baseline' of 'deleted' must be one of zero, mean; got 'grey'"
    ):
        choose(entry, {"baseline": "grey"})
    with pytest.raises(XaiboardError, match="one of 1, 2; got '3'"):
        choose(entry, {"level": "3"})


def test_an_unknown_setting_is_refused_with_those_that_exist() -> None:
    with pytest.raises(XaiboardError, match="'deletion' has no setting 'step'; it has: baseline, steps"):
        choose(xb.metrics["deletion"], {"step": 3})
    with pytest.raises(XaiboardError, match="'gini' has no setting 'k'; it has no settings"):
        choose(xb.metrics["gini"], {"k": 3})


def test_label_shows_what_differs_and_text_shows_all() -> None:
    def smooth(x: Tensor, *, draws: int = 25, sigma: float = 0.15, abs: bool = False) -> Tensor:
        return x

    entry = make_method(smooth, version=3)
    assert choose(entry).label == "smooth"
    choice = choose(entry, {"sigma": "0.5", "abs": "true"})
    assert choice.label == "smooth[sigma=0.5,abs=true]"
    assert choice.settings_text == "draws=25,sigma=0.5,abs=true"
    assert choice.identity == {
        "name": "smooth", "version": "3", "settings": {"draws": 25, "sigma": 0.5, "abs": True}
    }  # fmt: skip


def test_labels_tell_all_values_apart() -> None:
    def noisy(x: Tensor, *, eps: float = 0.1) -> Tensor:
        return x

    one, other = (choose(make_method(noisy), {"eps": eps}) for eps in (0.12345678, 0.12345679))
    assert one.label != other.label


# calls


def test_entries_are_called_by_keyword() -> None:
    a = torch.rand(3, 1, 4, 4)
    assert torch.equal(xb.metrics["gini"](attribution=a), xb.metrics["gini"].function(a))
    found = xb.metrics["lens_recall"](attribution=a, perturbed_attribution=a, k=4, window=0)
    assert torch.equal(found[""], torch.ones(3))


def test_shared_values_and_random_numbers_are_made_where_they_are_absent(mlp: nn.Module) -> None:
    x = torch.rand(3, 1, 8, 8)
    target = torch.tensor([0, 1, 2])
    entry = xb.metrics["deletion"]
    settings = {"steps": 4, "orders": 2, "cell": 1, "patch": 4}
    given = {"model": mlp, "x": x, "target": target, "attribution": torch.rand(3, 1, 8, 8)}
    alone = entry(**given, **settings)
    shared = {
        name: value(
            **{
                key: {**given, "reference": None, "rng": xb.SampleRng(0, range(3), "deletion"), "baseline": "zero",
                      **settings}[key]
                for key in (*value.supplied, *value.settings)
            }
        )
        for name, value in entry.shared.items()
    }  # fmt: skip
    assert set(shared) == {"random_order_curves", "patch_drops"}
    assert torch.equal(alone[""], entry(**given, **settings, **shared)[""])
    marked = dict(shared, patch_drops=torch.zeros_like(shared["patch_drops"]))
    assert torch.equal(entry(**given, **settings, **marked)["patch_correlation"], torch.zeros(3))


def test_an_unknown_keyword_of_a_metric_is_refused() -> None:
    with pytest.raises(XaiboardError, match="'gini' has no parameter 'window'; it has: attribution"):
        xb.metrics["gini"](attribution=torch.rand(2, 4), window=1)


def test_a_captum_class_is_a_method_as_it_is(mlp: nn.Module) -> None:
    xb.method(name="captum_ixg")(captum.attr.InputXGradient)
    entry = xb.methods["captum_ixg"]
    assert entry.supplied == ("model", "x", "target")
    assert not entry.settings
    x, target = torch.rand(3, 1, 8, 8), torch.tensor([0, 1, 2])
    found = xb.explain(mlp, "captum_ixg", x, target)
    torch.testing.assert_close(found, xb.explain(mlp, "input_x_gradient", x, target))


def test_settings_of_a_captum_class_come_from_its_signature() -> None:
    entry = make_method(captum.attr.IntegratedGradients)
    assert entry.name == "IntegratedGradients"
    assert {name: setting.default for name, setting in entry.settings.items()} == {
        "n_steps": 50, "method": "gausslegendre"
    }  # fmt: skip
    assert choose(entry, {"n_steps": "8"}).label == "IntegratedGradients[n_steps=8]"
    assert choose(make_method(captum.attr.Saliency)).settings == {"abs": True}


def test_other_classes_are_refused() -> None:
    class Thing:
        pass

    with pytest.raises(XaiboardError, match="method 'Thing' is a class; give a function, or a captum class"):
        make_method(Thing)
    with pytest.raises(XaiboardError, match="metric 'Saliency' is a class"):
        make_metric(captum.attr.Saliency)


def test_folder_and_summary_of_a_component() -> None:
    entry = xb.metrics["gini"]
    assert entry.folder.name == "metrics"
    assert entry.summary.startswith("Gini index")


def test_the_registries_are_not_hidden_by_the_packages() -> None:
    import xaiboard.benchmark.datasets
    import xaiboard.benchmark.methods
    import xaiboard.benchmark.perturbations  # noqa: F401

    assert isinstance(xb.methods, Registry)
    assert isinstance(xb.datasets, Registry)
    assert isinstance(xb.perturbations, Registry)
    assert "saliency" in xb.methods


def test_an_unknown_name_says_what_is_meant() -> None:
    with pytest.raises(XaiboardError, match="no metric named 'deletio'; did you mean 'deletion'"):
        xb.metrics["deletio"]
    with pytest.raises(XaiboardError, match=r"no perturbation named 'zzzz'; known: .*sign_noise"):
        xb.perturbations["zzzz"]


def test_an_unknown_attribute_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        xb.nothing  # noqa: B018


def test_choices_of_one_component_are_equal_by_value() -> None:
    entry = xb.metrics["gini"]
    assert Choice(entry, {}) == choose(entry)
