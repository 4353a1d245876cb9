"""Trainings: what a recipe writes, what its random numbers depend on, what stops it, and what the command says."""

from __future__ import annotations

import io
import json
import re
import sys
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file
from torch import Tensor, nn
from xaiboard.benchmark import cli, models
from xaiboard.benchmark.errors import XaiboardError
from xaiboard.benchmark.subjects.datasets import load_data
from xaiboard.benchmark.toolkit.data import Data
from xaiboard.models.training import recipe as training
from xaiboard.models.training.loop import Loop
from xaiboard.models.training.objectives import Objective, natural, transport
from xaiboard.models.training.recipe import Recipe, fit

NAMES = ["mlp.standard", "cnn.standard", "cnn.pgd_linf", "lipmlp.hkr", "lipcnn.hkr"]


@pytest.fixture(autouse=True)
def few_digits(monkeypatch: pytest.MonkeyPatch) -> dict[str, Data]:
    """Recipes see 192 training and 40 test images."""
    data = {split: load_data("digits", split=split)[:size] for split, size in (("train", 192), ("test", 40))}
    monkeypatch.setattr(training, "load_data", lambda name, *, split: data[split])
    return data


def train(name: str, out: Path, *, epochs: int | None = 1, seed: int = 0) -> Path:
    recipe = models[name].recipe
    assert recipe is not None
    return recipe(name, "digits", out=out, epochs=epochs, seed=seed, device="cpu")


@pytest.mark.parametrize("name", NAMES)
def test_a_recipe_writes_weights_that_fit_and_a_card_that_matches(
    name: str, tmp_path: Path, few_digits: dict[str, Data]
) -> None:
    path = train(name, tmp_path / "new" / "folder")
    assert path == tmp_path / "new" / "folder" / f"{name}@digits.safetensors"
    card_path = path.with_suffix(".json")
    assert sorted(path.parent.iterdir()) == [card_path, path]  # no temporary file is left
    card = json.loads(card_path.read_text("utf-8"))
    assert card["weights"] == sha256(path.read_bytes()).hexdigest()
    assert card["data"] == few_digits["train"].digest
    assert (card["name"], card["dataset"], card["family"]) == (name, "digits", models[name].family)
    assert (card["epochs"], card["seed"], card["shape"], card["classes"]) == (1, 0, [1, 28, 28], 10)
    model = models[name].build(tuple(card["shape"]), card["classes"]).eval()
    model.load_state_dict(load_file(path), strict=True)
    test = few_digits["test"]
    accuracy = (model(test.x).argmax(1) == test.label).double().mean().item()
    assert card["accuracy"] == pytest.approx(accuracy, abs=1e-4)
    assert ("certified_accuracy" in card) == (models[name].lipschitz is not None)


@pytest.mark.parametrize("name", NAMES)
def test_the_seed_decides(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        training, "make_card", lambda *_: {"name": name, "dataset": "digits"}
    )  # takes longest
    first, again, other = (
        train(name, tmp_path / folder, seed=seed) for folder, seed in (("a", 3), ("b", 3), ("c", 4))
    )
    assert first.read_bytes() == again.read_bytes()
    assert first.read_bytes() != other.read_bytes()


def test_the_global_random_state_is_left_alone(tmp_path: Path) -> None:
    state = torch.get_rng_state()
    train("mlp.standard", tmp_path)
    assert torch.equal(torch.get_rng_state(), state)


@pytest.mark.parametrize(("name", "epochs"), [("cnn.standard", 8), ("lipmlp.hkr", 8)])
def test_training_learns(name: str, epochs: int, tmp_path: Path) -> None:
    card = json.loads(train(name, tmp_path, epochs=epochs).with_suffix(".json").read_text("utf-8"))
    assert card["accuracy"] >= 0.7


def test_the_card_states_the_settings_that_the_objective_received(tmp_path: Path) -> None:
    card = json.loads(train("lipmlp.hkr", tmp_path).with_suffix(".json").read_text("utf-8"))
    settings = {"alpha": 0.98, "min_margin": 1.0, "temperature": 10.0}
    assert card["recipe"].items() >= {"objective": "transport", "constrained": True, **settings}.items()
    assert "deel-torchlip" in card["versions"]


def test_without_a_number_small_data_get_more_epochs(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    seen = []
    monkeypatch.setattr(training, "fit", lambda *_, epochs, **__: seen.append(epochs) or 0.0)
    for recipe in (
        Recipe(natural),
        Recipe(natural, images_shown=400, min_epochs=1),
        Recipe(natural, images_shown=0, min_epochs=7),
    ):
        recipe("mlp.standard", "digits", out=tmp_path)
    assert seen == [80_000 // 192, 2, 7]


def test_a_recipe_s_own_seed_yields_to_the_one_asked_for(tmp_path: Path) -> None:
    recipe = Recipe(natural, seed=3)
    own, asked = (
        recipe("mlp.standard", "digits", out=tmp_path / str(seed), epochs=1, seed=seed) for seed in (None, 4)
    )
    cards = [json.loads(path.with_suffix(".json").read_text("utf-8")) for path in (own, asked)]
    assert [card["seed"] for card in cards] == [3, 4]
    assert own.read_bytes() == train("mlp.standard", tmp_path, seed=3).read_bytes()
    assert asked.read_bytes() == train("mlp.standard", tmp_path, seed=4).read_bytes()


def test_a_loss_that_is_not_finite_stops_with_one_sentence(few_digits: dict[str, Data]) -> None:
    def broken() -> Objective:
        def objective(
            model: nn.Module, x: Tensor, label: Tensor, generator: torch.Generator
        ) -> tuple[Tensor, Tensor]:
            logits = model(x)
            return logits.sum() * float("nan"), logits

        return objective

    model = models["mlp.standard"].build((1, 28, 28), 10)
    before = [parameter.clone() for parameter in model.parameters()]
    with pytest.raises(
        XaiboardError, match=r"the loss is nan at step 1 \(epoch 1\); train with another seed"
    ):
        fit(model, few_digits["train"], broken(), epochs=1, generator=torch.Generator())
    assert all(torch.equal(old, new) for old, new in zip(before, model.parameters(), strict=True))


@pytest.mark.parametrize("objective", [natural, transport])
def test_every_image_is_shown_once_an_epoch(
    objective: Callable[[], Objective], few_digits: dict[str, Data]
) -> None:
    """Two epochs of 192 images in batches of 80: the last batch of each is smaller."""
    rows = []
    inner = objective()

    def counting(
        model: nn.Module, x: Tensor, label: Tensor, generator: torch.Generator
    ) -> tuple[Tensor, Tensor]:
        rows.extend(x.flatten(1).double().sum(1).tolist())
        return inner(model, x, label, generator)

    data = few_digits["train"]
    model = models["mlp.standard"].build((1, 28, 28), 10)
    fit(model, data, counting, epochs=2, batch_size=80, generator=torch.Generator().manual_seed(0))
    expected = sorted(data.x.flatten(1).double().sum(1).tolist())
    assert sorted(rows[:192]) == expected
    assert sorted(rows[192:]) == expected
    assert rows[:192] != rows[192:]


def test_wrong_numbers_and_folders_are_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(XaiboardError, match="number of epochs must be at least 1; got 0"):
        train("mlp.standard", tmp_path, epochs=0)
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(XaiboardError, match=r"cannot write to '.*file': File exists; give another"):
        train("mlp.standard", tmp_path / "file")


def test_a_path_in_the_data_set_name_does_not_reach_the_file_name(tmp_path: Path) -> None:
    path = Recipe(natural)("mlp.standard", "image-folder:/my pictures", out=tmp_path, epochs=1)
    assert path == tmp_path / "mlp.standard@image-folder--my-pictures.safetensors"
    assert json.loads(path.with_suffix(".json").read_text("utf-8"))["dataset"] == "image-folder:/my pictures"


def test_what_the_bar_shows_is_the_mean_over_the_epoch_so_far(few_digits: dict[str, Data]) -> None:
    """Against sums by hand; the logits of a training with rate 0 can be computed again."""
    data = few_digits["train"][:150]
    model = models["mlp.standard"].build((1, 28, 28), 10)
    loop = Loop(
        model, data, natural(), epochs=2, generator=torch.Generator().manual_seed(0), rate=0.0, batch_size=100
    )
    for _ in range(4):
        loop.advance()
    losses, correct, margins, transports = [], [], [], []
    with torch.no_grad():
        for rows in loop.order.split(100):
            logits, label = model(data.x[rows]), data.label[rows]
            differences = []
            for k in range(10):
                if (label == k).any():
                    differences.append(logits[label == k, k].mean() - logits[label != k, k].mean())
            transports += [float(torch.stack(differences).mean())] * len(rows)
            for row, own in zip(logits, label.tolist(), strict=True):
                losses.append(float(-row.log_softmax(0)[own]))
                best = max(float(value) for k, value in enumerate(row) if k != own)
                margins.append(float(row[own]) - best)
                correct.append(margins[-1] > 0)
    expected = {
        name: sum(values) / 150
        for name, values in (("loss", losses), ("accuracy", correct), ("margin", margins), ("kr", transports))
    }
    assert loop.means() == pytest.approx(expected, rel=1e-4, abs=1e-6)


@pytest.mark.parametrize("constrained", [True, False])
def test_the_bar_has_epoch_means_and_time_left(
    constrained: bool, few_digits: dict[str, Data], monkeypatch: pytest.MonkeyPatch
) -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    monkeypatch.setattr(sys, "stderr", screen := Terminal())
    fit(
        models["mlp.standard"].build((1, 28, 28), 10),
        few_digits["train"],
        natural(),
        epochs=2,
        generator=torch.Generator(),
        title="mlp",
        show_transport=constrained,
    )
    last = screen.getvalue().split("\r")[-1]
    transport = r", kr=-?\d" if constrained else ""
    assert re.search(
        rf"mlp: 100%.* 6/6 \[\S+<\S+, .*epoch=2/2, loss=\d.*, accuracy=\d\S*, margin=-?\d\.\d+{transport}",
        last,
    )
    assert ("kr=" in last) is constrained


MISTAKES = [
    (("mlp.standad",), "no model named 'mlp.standad'; did you mean 'mlp.standard'?"),
    (("mlp.standard", "--dataset", "digit"), "no dataset named 'digit'; did you mean 'digits'?"),
    (("mlp.standard", "--dataset", "image-folder:nowhere"), "nowhere"),
    (("mlp.standard", "--epochs", "0"), "0 is not in the range x>=1"),
    (("mlp.standard", "--epochs", "many"), "'many' is not a valid integer"),
    (("mlp.standard", "--seed", "-1"), "-1 is not in the range"),
    (("mlp.standard", "--device", "abacus"), "device 'abacus' is not available here; use auto, cpu or cuda"),
    (("mlp.standard", "--out", "file/w"), "cannot write to 'file/w': Not a directory; give another folder with --out"),
    (("lipmlp.hkr_binary",), "the binary hKR loss needs a data set of 2 classes; this one has 10"),
]  # fmt: skip


@pytest.mark.parametrize(("words", "sentence"), MISTAKES, ids=lambda value: " ".join(value)[:50])
def test_a_mistake_is_one_sentence(
    words: tuple[str, ...],
    sentence: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.undo()  # the data sets are the real ones
    monkeypatch.chdir(tmp_path)
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setattr("sys.argv", ["xaiboard", "train", "--dataset", "digits", *words])
    with pytest.raises(SystemExit) as caught:
        cli.main()
    said = capsys.readouterr().err
    assert caught.value.code == 2
    assert said.startswith("xaiboard: ")
    assert sentence in said
    assert said.count("\n") == 1
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == [tmp_path / "file"]


def test_the_command_refuses_to_overwrite_an_unfinished_training(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "mlp.standard@digits.checkpoint").write_bytes(b"of hours")
    words = ["train", "mlp.standard", "--dataset", "digits", "--out", str(tmp_path)]
    for more, sentence in (
        ((), "holds an unfinished training; continue it with --resume"),
        (["--resume"], "damaged"),
    ):
        monkeypatch.setattr("sys.argv", ["xaiboard", *words, *more])
        with pytest.raises(SystemExit) as caught:
            cli.main()
        assert caught.value.code == 2
        assert sentence in capsys.readouterr().err
        assert (tmp_path / "mlp.standard@digits.checkpoint").read_bytes() == b"of hours"
