"""Which cells there are, why some do not apply, what they cost, and what their keys depend on."""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pandas as pd
import pytest
import torch
import xaiboard.benchmark as xb
from torch import Tensor, nn
from xaiboard.benchmark.engine import plan, probe
from xaiboard.benchmark.engine.plan import Cell, Plan
from xaiboard.benchmark.errors import SettingError
from xaiboard.benchmark.listing.dry_run import describe_plan
from xaiboard.benchmark.request import read_request
from xaiboard.benchmark.runs import planning

Make = Callable[..., Plan]
Runner = Callable[..., xb.Run]

DETERMINISTIC = "saliency,integrated_gradients[steps=5],gradcam,sobel"
METRICS = (
    "deletion.*[steps=8,orders=3],deletion.*[baseline=mean,steps=8,orders=3],insertion.*[steps=8,orders=3],gini,"
    "max_sensitivity[draws=2],topk_intersection[k=9],lens_recall[k=9]"
)


@pytest.fixture
def make(selection: dict[str, Any]) -> Make:
    def make_plan(**changed: Any) -> Plan:  # noqa: ANN401
        return planning.make_plan(read_request(**{**selection, **changed}))

    return make_plan


def labels(cell: Cell) -> tuple[str, str, str, str]:
    return (
        cell.model.name,
        cell.method.label if cell.method else "",
        cell.metric.label,
        cell.perturbation.label if cell.perturbation else "",
    )


def test_cells_are_the_product_in_order(make: Make) -> None:
    made = make(
        methods="saliency,random",
        metrics="gini,accuracy,lens_recall[k=9]",
        perturbations="sign_noise,sign_noise[eps=0.2]",
    )
    one_model = [
        ("", "accuracy", ""),
        *(
            (method, metric, perturbation)
            for method in ("saliency", "random")
            for metric, perturbation in (
                ("gini", ""),
                ("lens_recall[k=9]", "sign_noise"),
                ("lens_recall[k=9]", "sign_noise[eps=0.2]"),
            )
        ),
    ]
    assert [labels(cell) for cell in made.cells] == [
        (model, *rest) for model in ("mlp", "cnn") for rest in one_model
    ]
    assert all(cell.reason == "" for cell in made.cells)


def reasons(made: Plan) -> dict[tuple[str, str, str], str]:
    return {labels(cell)[:3]: cell.reason for cell in made.cells}


def test_inapplicable_cells_say_why(make: Make) -> None:
    @xb.metric(family="localisation", higher_is_better=True)
    def inside(attribution: Tensor, mask: Tensor) -> Tensor:
        return (attribution * mask).flatten(1).sum(1)

    metrics = "inside,gini,lens_recall[k=9],certified_accuracy"
    found = reasons(make(methods="gradcam,saliency", metrics=metrics, perturbations=""))
    assert found["mlp", "saliency", "inside"] == "the data set has no 'mask'"
    assert found["mlp", "gradcam", "gini"] == "the model has no convolution"
    assert found["cnn", "gradcam", "gini"] == ""
    assert found["mlp", "saliency", "gini"] == ""
    assert found["cnn", "saliency", "lens_recall[k=9]"] == "no perturbation is selected"
    assert found["cnn", "", "certified_accuracy"] == "the model claims no Lipschitz constant"
    with_masks = reasons(make(dataset="tiny-masked", methods="saliency", metrics="inside"))
    assert set(with_masks.values()) == {""}


def test_certificates_need_a_claim_and_a_passed_audit(make: Make) -> None:
    def network(gain: float) -> nn.Sequential:
        linear = nn.Linear(64, 4, bias=False)
        with torch.no_grad():
            linear.weight.copy_(gain * torch.eye(4, 64))
        return nn.Sequential(nn.Flatten(), linear)

    class Opaque(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.body = network(1.0)

        def forward(self, x: Tensor) -> Tensor:
            return self.body(x)

    def opaque() -> nn.Module:
        return Opaque()

    for name, build in (
        ("good", lambda: network(1.0)),
        ("steep", lambda: network(2.0)),
        ("opaque", opaque),
        ("free", lambda: network(1.0)),
    ):
        xb.model(name=name, family="ot", dataset="tiny", lipschitz=None if name == "free" else 1.0)(build)
    found = reasons(make(models="good,steep,opaque,free", metrics="certified_accuracy,lipschitz"))
    assert found["good", "", "certified_accuracy"] == ""
    assert found["steep", "", "certified_accuracy"] == (
        "the model does not pass the Lipschitz audit: upper bound 2"
    )
    assert found["opaque", "", "certified_accuracy"].startswith("no Lipschitz bound: layer 'Opaque'")
    assert found["opaque", "", "lipschitz"].startswith("no Lipschitz bound: ")
    assert found["steep", "", "lipschitz"] == found["free", "", "lipschitz"] == ""


def test_a_shared_value_may_be_what_needs_a_mask(make: Make) -> None:
    def area(mask: Tensor) -> Tensor:
        return mask.flatten(1).double().mean(1)

    @xb.metric(family="localisation", higher_is_better=True, shared=[area])
    def covered(attribution: Tensor, area: Tensor) -> Tensor:
        return area

    assert set(reasons(make(metrics="covered")).values()) == {"the data set has no 'mask'"}


# cost


def planned_and_counted(run: Runner, make: Make, **changed: object) -> pd.DataFrame:
    made, finished = make(**changed), run(**changed)
    costs = {
        cell.key: cost for cell in made.cells if not cell.reason and (cost := made.cost(cell)) is not None
    }
    cells = finished.cells[finished.cells["status"] == "ok"]
    table = pd.DataFrame(
        {
            "cell": cells["model"] + " " + cells["method"] + " " + cells["metric"] + " " + cells["settings"],
            "forward": cells["forward"].astype(float),
            "backward": cells["backward"].astype(float),
            "planned forward": [costs[key].forward for key in cells["key"]],
            "planned backward": [costs[key].backward for key in cells["key"]],
        }
    )
    assert len(table) == len(costs)
    return table


def disagree(table: pd.DataFrame) -> list[str]:
    wrong = (table["forward"] != table["planned forward"]) | (table["backward"] != table["planned backward"])
    return [f"{row}" for row in table[wrong].itertuples(index=False, name=None)]


def counted(finished: xb.Run, metric: str) -> dict[tuple[str, str], tuple[int, int]]:
    cells = finished.cells[(finished.cells["metric"] == metric) & (finished.cells["status"] == "ok")]
    numbers = (cells[name].astype(int) for name in ("forward", "backward"))
    return dict(
        zip(zip(cells["model"], cells["method"], strict=True), zip(*numbers, strict=True), strict=True)
    )


def test_counted_passes_of_a_cell_are_those_had_it_been_computed_alone(run: Runner) -> None:
    """Twelve samples; f(x) once for the target, then the method, then the metric, whatever came before."""
    finished = run(methods=f"{DETERMINISTIC},random", metrics=METRICS + ",accuracy,gradient_norm")
    method = {
        "saliency": (1, 1), "integrated_gradients[steps=5]": (5, 5), "gradcam": (1, 1), "sobel": (0, 0),
        "random": (0, 0),
    }  # fmt: skip
    random_orders, curve, patches = 3 * 7 + 2, 7, 16 + 1  # patches of two pixels in images of eight
    metric = {
        "gini": (1, 0), "insertion": (1, random_orders + curve + patches), "max_sensitivity": (3, 0),
        "lens_recall": (2, 1), "topk_intersection": (2, 1), "deletion": (1, random_orders + curve + patches),
    }  # fmt: skip
    for name, (explanations, own) in metric.items():
        assert counted(finished, name) == {
            # f(x) is needed where the method or the metric asks for the target or for what is predicted
            (model, label): (
                12 * ((forward + own > 0) + own + explanations * forward),
                12 * explanations * backward,
            )
            for model in ("mlp", "cnn")
            for label, (forward, backward) in method.items()
            if (model, label) != ("mlp", "gradcam")
        }
    assert counted(finished, "accuracy") == {("mlp", ""): (12, 0), ("cnn", ""): (12, 0)}
    assert counted(finished, "gradient_norm") == {("mlp", ""): (24, 12), ("cnn", ""): (24, 12)}


WITHOUT_TARGET = (
    "deletion.*[steps=8,orders=3],deletion.*[baseline=mean,steps=8,orders=3],insertion.*[steps=8,orders=3],gini,"
    "max_sensitivity[draws=2],gradient_norm"
)
"""With ``target=label`` none of these asks for f(x)."""


def test_planned_passes_are_the_counted_ones(run: Runner, make: Make) -> None:
    methods = "saliency,integrated_gradients[steps=5],smoothgrad[draws=3],sobel,random"
    assert not disagree(
        planned_and_counted(run, make, methods=methods, metrics=WITHOUT_TARGET, target="label")
    )


@pytest.mark.parametrize("metrics", ["gini", "lens_recall[k=9]", "accuracy", "gradient_norm"])
def test_planned_passes_are_the_counted_ones_with_f_of_x(run: Runner, make: Make, metrics: str) -> None:
    assert not disagree(planned_and_counted(run, make, methods="saliency", metrics=metrics))


def test_planned_passes_are_the_counted_ones_where_a_method_applies_to_one_model(
    run: Runner, make: Make
) -> None:
    assert not disagree(
        planned_and_counted(run, make, methods="sobel,gradcam", metrics=WITHOUT_TARGET, target="label")
    )


def test_planned_passes_are_the_counted_ones_for_two_metrics_of_one_value(run: Runner, make: Make) -> None:
    def steepest(lipschitz: Tensor) -> Tensor:
        return lipschitz[:, 1]

    assert not disagree(planned_and_counted(run, make, metrics=["lipschitz", steepest], target="label"))


def test_counted_passes_of_certificates(run: Runner) -> None:
    @xb.model(family="ot", dataset="tiny", lipschitz=1.0)
    def flat() -> nn.Module:
        linear = nn.Linear(64, 4, bias=False)
        with torch.no_grad():
            linear.weight.copy_(torch.eye(4, 64))
        return nn.Sequential(nn.Flatten(), linear)

    finished = run(models="flat", metrics="certified_accuracy[epsilon=0.1],lipschitz")
    assert counted(finished, "certified_accuracy") == {("flat", ""): (24, 48)}
    assert counted(finished, "lipschitz") == {("flat", ""): (12, 48)}


def test_shared_computations_count_once_in_the_total(make: Make) -> None:
    one, two = (
        make(methods="saliency", metrics="gini"),
        make(methods="saliency", metrics="gini,deletion[steps=4]"),
    )
    total = one.total(one.cells)
    assert (total.forward, total.backward) == (
        48,
        24,
    )  # f(x) for the targets, and the gradient, on two models
    assert two.total(two.cells).backward == 24
    assert two.total(two.cells).forward < sum(cost.forward for cell in two.cells if (cost := two.cost(cell)))


def test_a_component_that_raises_in_the_probe_has_no_cost(make: Make) -> None:
    def broken(x: Tensor) -> Tensor:
        raise RuntimeError("broken")

    made = make(methods=[broken, "saliency"], metrics="gini")
    costs = {labels(cell)[1]: made.cost(cell) for cell in made.cells}
    assert costs["broken"] is None
    assert costs["saliency"] is not None
    assert "could not be counted: it raised when it was tried" in describe_plan(made)


@pytest.mark.parametrize(
    ("methods", "metrics"),
    [("saliency", "deletion[steps=120,orders=2]"), ("smoothgrad[draws=9]", "max_sensitivity[draws=9]")],
)
def test_settings_whose_product_is_absurd_are_refused(
    make: Make, monkeypatch: pytest.MonkeyPatch, methods: str, metrics: str
) -> None:
    make(methods=methods, metrics=metrics)
    monkeypatch.setattr(probe, "MOST", 99)
    with pytest.raises(SettingError, match="one sample needs more than 99 passes through the model") as error:
        make(methods=methods, metrics=metrics)
    assert f"'{methods}', '{metrics.removesuffix(']')}" in str(error.value)


def test_the_plan_in_words(make: Make) -> None:
    text = describe_plan(make(methods="saliency,gradcam", metrics="gini"))
    assert "| mlp   | gradcam  | gini" in text
    assert "the model has no convolution" in text
    assert "12 samples, 3 cells to compute, 1 inapplicable" in text


# keys


def keys(made: Plan) -> list[str]:
    return [cell.key for cell in made.cells]


def test_keys_tell_cells_apart_and_repeat(make: Make) -> None:
    made = make(methods=DETERMINISTIC, metrics=METRICS)
    assert len(set(keys(made))) == len(made.cells)
    assert keys(made) == keys(make(methods=DETERMINISTIC, metrics=METRICS))
    assert all(cell.key.startswith(f"{cell.metric.component.name}-") for cell in made.cells)


@pytest.mark.parametrize(
    "changed",
    [
        {"seed": 1}, {"dtype": "float64"}, {"target": "label"}, {"samples": 11}, {"dataset": "tiny-masked"},
        {"methods": "smoothgrad[draws=4]"}, {"metrics": "deletion[steps=5]"},
    ],
    ids=str,
)  # fmt: skip
def test_keys_change_with_what_could_change_a_score(make: Make, changed: dict[str, Any]) -> None:
    fixed = {"methods": "smoothgrad[draws=3]", "metrics": "deletion[steps=4]"}
    assert not set(keys(make(**fixed))) & set(keys(make(**{**fixed, **changed})))


def test_keys_change_with_perturbation_settings(make: Make) -> None:
    fixed = {"metrics": "lens_recall[k=9]"}
    other = make(**fixed, perturbations="sign_noise[eps=0.2]")
    assert not set(keys(make(**fixed))) & set(keys(other))


def test_keys_change_with_weights_and_architecture(make: Make, mlp: nn.Sequential) -> None:
    before = keys(make(models={"net": mlp}))
    assert keys(make(models={"net": copy.deepcopy(mlp)})) == before
    with torch.no_grad():
        next(mlp.parameters())[0, 0] += 1e-6
    moved = keys(make(models={"net": mlp}))
    assert not set(before) & set(moved)
    mlp[2] = nn.Tanh()
    assert not set(moved) & set(keys(make(models={"net": mlp})))


@pytest.mark.parametrize("part", ["method", "metric", "perturbation"])
def test_keys_change_with_versions(make: Make, part: str) -> None:
    cell = make(methods="saliency", metrics="lens_recall[k=9]").cells[0]
    choice = getattr(cell, part)
    raised = replace(choice, component=replace(choice.component, version=2))
    assert replace(cell, **{part: raised}).key != cell.key
    assert replace(cell, model=replace(cell.model, version=2)).key != cell.key


def test_keys_do_not_change_with_source_or_family(make: Make) -> None:
    cell = make(methods="saliency", metrics="gini").cells[0]
    told = replace(cell.metric, component=replace(cell.metric.component, source="elsewhere", family="other"))
    assert replace(cell, metric=told).key == cell.key
    conditions = replace(cell.conditions, device="cuda")
    assert replace(cell, conditions=conditions).key == cell.key


def test_shards_cover_the_samples(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    made = make()
    assert made.shards == [slice(0, 12)]
    monkeypatch.setattr(plan, "SHARD_BYTES", 5 * 64 * 4)
    assert made.shards == [slice(0, 5), slice(5, 10), slice(10, 12)]
    monkeypatch.setattr(plan, "SHARD_BYTES", 1)
    assert len(made.shards) == 12


# selections


def test_objects_are_named_by_their_keys_or_themselves(make: Make, mlp: nn.Sequential) -> None:
    def plain(x: Tensor) -> Tensor:
        return x

    assert {cell.model.name for cell in make(models=mlp).cells} == {"Sequential"}
    assert {cell.model.name for cell in make(models=[mlp]).cells} == {"Sequential"}
    made = make(methods=[plain, "saliency"], metrics="gini", models={"net": mlp})
    assert [labels(cell)[:2] for cell in made.cells] == [("net", "plain"), ("net", "saliency")]
    named = make(methods={"mine": plain}, metrics="gini", models={"net": mlp})
    assert [labels(cell)[:2] for cell in named.cells] == [("net", "mine")]


def test_a_registered_function_is_its_entry(make: Make) -> None:
    @xb.method(version=4)
    def plain(x: Tensor) -> Tensor:
        return x

    made = make(methods=[plain], metrics="gini")
    assert made.cells[0].method is not None
    assert made.cells[0].method.component is xb.methods["plain"]


def test_models_of_a_run_are_copies(make: Make, mlp: nn.Sequential) -> None:
    mlp.train()
    made = make(models={"net": mlp}, dtype="float64")
    assert made.cells[0].model.module is not mlp
    assert mlp.training
    assert next(mlp.parameters()).dtype == torch.float32


def test_two_models_of_one_name_are_refused(make: Make, mlp: nn.Sequential) -> None:
    with pytest.raises(xb.XaiboardError, match="two models named 'Sequential'; give a mapping"):
        make(models=[mlp, copy.deepcopy(mlp)])


def test_patterns_of_a_list_may_overlap(make: Make) -> None:
    @xb.model(family="own", dataset="tiny")
    def small() -> nn.Module:
        return nn.Sequential(nn.Flatten(), nn.Linear(64, 4))

    as_text, as_list = make(models="small,sm*"), make(models=["small", "sm*"])
    names = [[cell.model.name for cell in made.cells] for made in (as_list, as_text)]
    assert names[0] == names[1] == ["small"] * len(as_text.cells)


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"target": "guess"}, "no target named 'guess'; there are: prediction, label"),
        ({"dtype": "float16"}, "no dtype named 'float16'; there are: float32, float64"),
        ({"device": "gpu"}, "device 'gpu' is not available here"),
        ({"samples": 0}, "the number of samples must be at least 1; got 0"),
        ({"samples": 13}, "tiny has 12 test samples; got 13; ask for at most 12"),
        ({"suite": "quik"}, "no suite named 'quik'; did you mean 'quick'?"),
        ({"dataset": "tinny"}, "no dataset named 'tinny'; did you mean 'tiny"),
        ({"methods": "salency"}, "no method named 'salency'; did you mean 'saliency'?"),
        ({"metrics": "ginni"}, "no metric named 'ginni'; did you mean 'gini'?"),
        ({"metrics": "deletion[step=3]"}, "'deletion' has no setting 'step'"),
        ({"metrics": "deletion[steps=many]"}, "setting 'steps' of 'deletion' must be int"),
        ({"perturbations": "noise"}, "no perturbation named 'noise'; did you mean 'sign_noise'?"),
        ({"models": "nothing*"}, r"no model named 'nothing\*'"),
        (
            {"models": None, "dataset": "tiny"},
            "no model of the suite is trained on tiny; name one with --models",
        ),
        ({"metrics": "", "methods": ""}, "nothing to run"),
    ],
    ids=str,
)
def test_mistakes_are_refused_in_one_sentence(make: Make, changed: dict[str, Any], message: str) -> None:
    with pytest.raises(xb.XaiboardError, match=message) as caught:
        make(**changed)
    assert "\n" not in str(caught.value)


def test_a_model_that_cannot_take_the_images_costs_its_own_cells(make: Make) -> None:
    wrong = nn.Sequential(nn.Flatten(), nn.Linear(10, 4))
    make(models={"wrong": wrong}, metrics="lipschitz")


def test_a_function_of_one_s_own_does_not_pass_for_a_built_in(make: Make) -> None:
    """Their records would be the same files: whichever ran first would be shown as the other."""

    def sobel(x: Tensor) -> Tensor:
        return x

    fixed = {"metrics": "gini"}
    try:
        own = make(methods=[sobel], **fixed)
    except xb.XaiboardError:
        return
    assert not set(keys(own)) & set(keys(make(methods="sobel", **fixed)))


def test_a_method_that_does_not_apply_is_left_out_for_metrics_with_a_bound_too(make: Make) -> None:
    def relative(attribution: Tensor, lipschitz: Tensor) -> Tensor:
        return attribution.flatten(1).norm(dim=1) / lipschitz[:, 0]

    found = reasons(make(methods="gradcam", metrics=[relative]))
    assert found["mlp", "gradcam", "relative"] == "the model has no convolution"
