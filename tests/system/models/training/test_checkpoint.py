"""Interrupted trainings: no finished step is lost, and a continued training ends in the same bytes."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import threading
import time
import traceback
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import save_file
from torch import Tensor, nn
from xaiboard.benchmark import models
from xaiboard.benchmark.errors import XaiboardError
from xaiboard.benchmark.subjects.datasets import load_data
from xaiboard.benchmark.toolkit.data import Data
from xaiboard.models.training import fit as fitting
from xaiboard.models.training import recipe as training
from xaiboard.models.training.checkpoint import Checkpoint, State
from xaiboard.models.training.finalise import constrain
from xaiboard.models.training.interrupt import deferred_interrupt
from xaiboard.models.training.loop import Loop
from xaiboard.models.training.objectives import Objective, natural
from xaiboard.models.training.recipe import Recipe

Objectives = Callable[..., Objective]


@pytest.fixture(autouse=True)
def few_digits(monkeypatch: pytest.MonkeyPatch) -> dict[str, Data]:
    """Recipes see 192 training and 40 test images: 3 steps an epoch."""
    data = {split: load_data("digits", split=split)[:size] for split, size in (("train", 192), ("test", 40))}
    monkeypatch.setattr(training, "load_data", lambda name, *, split: data[split])
    return data


def recipe_of(name: str) -> Recipe:
    recipe = models[name].recipe
    assert isinstance(recipe, Recipe)
    return recipe


def act_at_step(objective: Objectives, number: int, act: Callable[[], object]) -> Objectives:
    """The same objective, which calls ``act`` before the ``number``-th step."""

    def make(**settings: float) -> Objective:
        inner = objective(**settings)
        steps = iter(range(1, 10_000))

        class Acting(nn.Module):
            def __init__(self) -> None:
                super().__init__()
                self.inner = inner if isinstance(inner, nn.Module) else None

            def forward(
                self, model: nn.Module, x: Tensor, label: Tensor, generator: torch.Generator
            ) -> tuple[Tensor, Tensor]:
                if next(steps) == number:
                    act()
                return inner(model, x, label, generator)

        return Acting()

    make.__name__ = objective.__name__
    return make


def press_ctrl_c() -> None:
    signal.raise_signal(signal.SIGINT)


def interrupted(recipe: Recipe, step: int) -> Recipe:
    """The recipe, with Ctrl-C pressed during the ``step``-th step; 0 for never."""
    return replace(recipe, objective=act_at_step(recipe.objective, step, press_ctrl_c))


@pytest.fixture(autouse=True)
def listening() -> Iterator[None]:
    """Ctrl-C raises KeyboardInterrupt, even if the tests run in the background, where it is ignored."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


CASES = [
    ("mlp.standard", (1,)),  # within the first epoch
    ("mlp.standard", (3, 2, 1)),  # after an epoch, and again and again
    ("cnn.pgd_linf", (4,)),
    ("cnn.lipschitz_penalty", (4,)),  # an objective with a state
    ("lipmlp.hkr", (2,)),
    ("lipmlp.hkr", (6,)),  # the last step
]


@pytest.mark.parametrize(("name", "steps"), CASES)
def test_an_interrupted_training_ends_in_the_same_bytes(
    name: str, steps: tuple[int, ...], tmp_path: Path
) -> None:
    recipe = interrupted(recipe_of(name), 0)
    whole = recipe(name, "digits", out=tmp_path / "whole", epochs=2, seed=5)
    out = tmp_path / "parts"
    done = 0
    for number, step in enumerate(steps):
        done += step
        with pytest.raises(KeyboardInterrupt, match=f"interrupted after step {done} of 6, which '.*' keeps"):
            interrupted(recipe_of(name), step)(name, "digits", out=out, epochs=2, seed=5, resume=number > 0)
        torch.rand(7)  # whatever happens in between
        assert [path.name for path in out.iterdir()] == [f"{name}@digits.checkpoint"]
    parts = recipe(name, "digits", out=out, epochs=2, seed=5, resume=True)
    assert parts.read_bytes() == whole.read_bytes()
    cards = [json.loads(path.with_suffix(".json").read_text("utf-8")) for path in (parts, whole)]
    for card in cards:
        card.pop("seconds")
    assert cards[0] == cards[1]
    assert sorted(path.name for path in out.iterdir()) == [
        f"{name}@digits.json",
        f"{name}@digits.safetensors",
    ]


def as_json(notes: Mapping[str, object]) -> object:
    return json.loads(json.dumps({**notes, "seconds": 0}))


@pytest.mark.parametrize("name", ["lipcnn.hkr", "cnn.lipschitz_penalty", "mlp.standard"])
def test_a_loop_continues_from_its_state_in_another_loop(
    name: str, tmp_path: Path, few_digits: dict[str, Data]
) -> None:
    """The state replaces everything that the second loop held before: all tensors and numbers end the same."""
    recipe, checkpoint = recipe_of(name), Checkpoint(tmp_path / "c", {})

    def new_loop(seed: int) -> Loop:
        torch.manual_seed(seed)
        network = models[name].build((1, 28, 28), 10)
        return Loop(
            constrain(network) if recipe.constrained else network,  # type: ignore[arg-type]
            few_digits["train"],
            recipe.objective(**recipe.settings),
            epochs=2,
            generator=torch.Generator().manual_seed(seed),
            rate=recipe.rate,
            batch_size=recipe.batch_size,
        )

    with torch.random.fork_rng():
        one, other = new_loop(1), new_loop(2)
        other.advance()
        for _ in range(2):
            one.advance()
        checkpoint.write(one.state())
        for _ in range(3):  # into the second epoch
            one.advance()
        expected = one.state()
        state = checkpoint.read()
        assert state is not None
        other.restore(state)
        for _ in range(3):
            other.advance()
    found = other.state()
    assert found.tensors.keys() == expected.tensors.keys()
    for key, value in expected.tensors.items():
        if key != "random.cpu":
            assert torch.equal(found.tensors[key], value), key
    assert as_json(found.notes) == as_json(expected.notes)


@pytest.fixture
def unfinished(tmp_path: Path) -> Path:
    """The checkpoint of ``mlp.standard``, seed 0, after 4 of 6 steps."""
    with pytest.raises(KeyboardInterrupt):
        interrupted(recipe_of("mlp.standard"), 4)("mlp.standard", "digits", out=tmp_path, epochs=2)
    return tmp_path / "mlp.standard@digits.checkpoint"


def resume(path: Path, *, recipe: Recipe | None = None, epochs: int = 2, seed: int = 0) -> Path:
    recipe = recipe or interrupted(recipe_of("mlp.standard"), 0)
    return recipe("mlp.standard", "digits", out=path.parent, epochs=epochs, seed=seed, resume=True)


def test_an_unfinished_training_is_not_overwritten(unfinished: Path) -> None:
    before = unfinished.read_bytes()
    with pytest.raises(XaiboardError, match="holds an unfinished training; continue it with --resume"):
        recipe_of("mlp.standard")("mlp.standard", "digits", out=unfinished.parent, epochs=2)
    assert unfinished.read_bytes() == before


def test_another_training_is_refused_with_what_differs(
    unfinished: Path, few_digits: dict[str, Data], monkeypatch: pytest.MonkeyPatch
) -> None:
    before = unfinished.read_bytes()
    standard = recipe_of("mlp.standard")
    for sentence, change in {
        "is of another training: seed 0, here 1; resume with": {"seed": 1},
        "is of another training: epochs 2, here 3; resume with": {"epochs": 3},
        "is of another training: recipe's rate 0.003, here 0.01; resume with": {
            "recipe": replace(standard, rate=0.01)
        },
        "recipe's objective natural, here l1, recipe's weight none, here 0.5; resume with": {
            "recipe": Recipe(recipe_of("cnn.l1").objective, {"weight": 0.5})
        },
    }.items():
        with pytest.raises(XaiboardError, match=sentence):
            resume(unfinished, **change)  # type: ignore[arg-type]
    monkeypatch.setitem(few_digits, "train", few_digits["train"][:191])
    with pytest.raises(
        XaiboardError, match=r"is of another training: data [0-9a-f]+, here [0-9a-f]+; resume"
    ):
        resume(unfinished)
    assert unfinished.read_bytes() == before


def test_a_damaged_checkpoint_is_one_sentence_and_stays(unfinished: Path) -> None:
    content = unfinished.read_bytes()
    middle = len(content) // 2
    flipped = content[:middle] + bytes([content[middle] ^ 1]) + content[middle + 1 :]
    for damaged in (b"", b"hello", content[:-100], flipped):
        unfinished.write_bytes(damaged)
        with pytest.raises(
            XaiboardError, match=r"checkpoint '.*' is damaged \(.*\); delete it to start anew"
        ):
            resume(unfinished)
        assert unfinished.read_bytes() == damaged
    save_file({"x": torch.zeros(2)}, unfinished)
    with pytest.raises(XaiboardError, match="is damaged"):
        resume(unfinished)


def test_without_a_checkpoint_nothing_is_resumed_and_nothing_written(tmp_path: Path) -> None:
    path = tmp_path / "weights" / "mlp.standard@digits.checkpoint"
    with pytest.raises(
        XaiboardError, match=f"there is no checkpoint '{path}' to continue from; start anew without"
    ):
        resume(path)
    assert list(tmp_path.iterdir()) == []


def test_a_resumed_training_says_where_it_continues(
    unfinished: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    resume(unfinished)
    assert f"checkpoint '{unfinished}': continues after step 4" in capsys.readouterr().err


def test_the_network_of_a_checkpoint_must_be_the_model_s(unfinished: Path) -> None:
    """As if the function of the entry had been edited in between."""
    with safe_open(unfinished, "pt") as file:
        identity = json.loads(file.metadata()["training"])["identity"]
        tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - no mapping
        notes = json.loads(file.metadata()["training"])["notes"]
    tensors["model.1.weight"] = torch.zeros(3, 3)
    Checkpoint(unfinished, identity).write(State(tensors, notes))
    with pytest.raises(XaiboardError, match=r"does not fit the model and its objective \(.*size mismatch"):
        resume(unfinished)


@pytest.mark.parametrize("spoilt", ["loss", "gradient", "parameters"])
def test_what_is_not_finite_stops_the_training_and_keeps_the_last_good_step(
    spoilt: str, tmp_path: Path
) -> None:
    """It becomes so in the second epoch; the checkpoint is that of the end of the first."""

    def broken() -> Objective:
        inner, steps = natural(), iter(range(1, 100))

        def objective(
            model: nn.Module, x: Tensor, label: Tensor, generator: torch.Generator
        ) -> tuple[Tensor, Tensor]:
            loss, logits = inner(model, x, label, generator)
            if next(steps) < 5:
                return loss, logits
            if spoilt == "loss":
                return loss * float("nan"), logits
            if spoilt == "gradient":
                return loss + 0 * (logits - logits.detach()).abs().sum().sqrt(), logits
            with torch.no_grad():
                next(model.parameters())[0] = float("inf")
            return loss, logits

        return objective

    sentence = {
        "loss": "the loss is nan",
        "gradient": "the gradient is not finite",
        "parameters": "the loss is nan",
    }[spoilt]
    path = tmp_path / "mlp.standard@digits.checkpoint"
    with pytest.raises(XaiboardError) as caught:
        Recipe(broken)("mlp.standard", "digits", out=tmp_path, epochs=3)
    assert f"mlp.standard on digits: {sentence} at step " in str(caught.value)
    assert f"(epoch 2); '{path}' keeps an earlier step; train with another seed" in str(caught.value)
    assert "learning rate is below 0.003" in str(caught.value)
    with safe_open(path, "pt") as file:
        assert json.loads(file.metadata()["training"])["notes"]["step"] == 3
        assert all(file.get_tensor(name).isfinite().all() for name in file.keys())  # noqa: SIM118 - no mapping
    assert [each.name for each in tmp_path.iterdir()] == [path.name]


def test_a_checkpoint_is_written_when_it_is_time(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """At the end of the first epoch, after that whenever the pause is over, and after the last step."""
    written: list[int] = []
    write = Checkpoint.write

    def note(self: Checkpoint, state: State) -> None:
        written.append(state.notes["step"])
        write(self, state)

    monkeypatch.setattr(Checkpoint, "write", note)

    def steps_written(after_epoch: float, within_epoch: float) -> list[int]:
        monkeypatch.setattr(fitting, "AFTER_EPOCH", after_epoch)
        monkeypatch.setattr(fitting, "WITHIN_EPOCH", within_epoch)
        written.clear()
        recipe_of("mlp.standard")("mlp.standard", "digits", out=tmp_path, epochs=3)
        return [*written]

    assert steps_written(1000, 2000) == [3, 9]
    assert steps_written(0, 2000) == [3, 6, 9]
    assert steps_written(0, 0) == [*range(1, 10)]


def test_a_disk_that_takes_no_more_is_one_sentence_and_keeps_the_checkpoint(
    unfinished: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = unfinished.read_bytes()

    def full(number: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(XaiboardError, match=r"cannot write to '.*': No space left on device; free space"):
        resume(unfinished)
    assert unfinished.read_bytes() == before
    assert [*unfinished.parent.iterdir()] == [unfinished]


def test_left_over_temporary_files_are_swept(unfinished: Path) -> None:
    left = unfinished.with_name(f".{unfinished.name}.123.tmp")
    for age, stays in ((0, True), (100, False)):
        left.write_bytes(b"half")
        os.utime(left, (time.time() - age, time.time() - age))
        with pytest.raises(XaiboardError, match="unfinished"):
            recipe_of("mlp.standard")("mlp.standard", "digits", out=unfinished.parent, epochs=2)
        assert left.exists() is stays


def test_a_second_ctrl_c_does_not_wait() -> None:
    before = signal.getsignal(signal.SIGINT)
    with pytest.raises(KeyboardInterrupt), deferred_interrupt() as asked:
        press_ctrl_c()
        assert asked()
        press_ctrl_c()
    assert signal.getsignal(signal.SIGINT) is before


def test_in_another_thread_signals_are_left_alone(tmp_path: Path) -> None:
    def work() -> None:
        with deferred_interrupt() as asked:
            results.append(asked())

    results: list[bool] = []
    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert results == [False]


def step_of(path: Path) -> int:
    with safe_open(path, "pt") as file:
        return json.loads(file.metadata()["training"])["notes"]["step"]


@pytest.fixture
def one_thread() -> Iterator[None]:
    """Bytes are equal only for the same number of threads, and forked children have one."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_kills_at_random_moments_leave_a_whole_checkpoint(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, one_thread: None
) -> None:
    """Checkpoints are written after every step, so that many kills happen while one is written."""
    recipe, moments = recipe_of("mlp.standard"), random.Random()

    def train(folder: str, *, resume: bool) -> Path:
        monkeypatch.setattr(training, "make_card", lambda *_: {"name": "mlp.standard", "dataset": "digits"})
        return recipe("mlp.standard", "digits", out=tmp_path / folder, epochs=60, resume=resume)

    whole = train("whole", resume=False)  # first, so that what torch imports late is there before the forks
    path, reached = tmp_path / "killed" / "mlp.standard@digits.checkpoint", 0

    def child_trains() -> None:
        status = 1
        try:
            monkeypatch.setattr(fitting, "AFTER_EPOCH", 0)
            monkeypatch.setattr(fitting, "WITHIN_EPOCH", 0)
            train("killed", resume=path.exists())
            status = 0
        except BaseException:
            traceback.print_exc()
        finally:
            os._exit(status)

    for _ in range(6):
        child = os.fork()
        if child == 0:
            child_trains()
        while not path.exists() or step_of(path) <= reached:
            ended, status = os.waitpid(child, os.WNOHANG)
            if ended:  # on a machine that gave this process no time
                assert status == 0
                break
            time.sleep(0.01)
        else:
            time.sleep(moments.uniform(0, 0.01))
            os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)
            reached = step_of(path) if path.exists() else 0
    assert train("killed", resume=path.exists()).read_bytes() == whole.read_bytes()


CHILD = """
import signal, sys, time
signal.signal(signal.SIGINT, signal.default_int_handler)  # ignored where the tests run in the background
from xaiboard.benchmark import cli
from xaiboard.models.training import fit
from xaiboard.models.training.loop import Loop

fit.AFTER_EPOCH = 0
advance = Loop.advance

def slowly(self):
    time.sleep(0.03)
    advance(self)

Loop.advance = slowly
sys.argv[0] = "xaiboard"
cli.main()
"""
WORDS = ("train", "mlp.standard", "--dataset", "digits", "--epochs", "10", "--seed", "2", "--out", "w")


def start(folder: Path, *more: str) -> subprocess.Popen[str]:
    """The command in a process of its own, which pauses before each of its 220 steps."""
    return subprocess.Popen(
        [sys.executable, "-c", CHILD, *WORDS, *more],
        cwd=folder,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )


def finish(child: subprocess.Popen[str]) -> tuple[int, str]:
    err = child.communicate(timeout=120)[1]
    return child.returncode, err


@pytest.mark.skipif(os.name == "nt", reason="needs signals")
def test_kills_and_ctrl_c_in_a_process_lose_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """After SIGKILL at the first checkpoint and SIGINT at a later one: the bytes of an uninterrupted training."""
    monkeypatch.undo()  # the child sees all digits
    path = tmp_path / "w" / "mlp.standard@digits.checkpoint"

    def wait_for_more(child: subprocess.Popen[str], step: int) -> None:
        while child.poll() is None and not (path.exists() and step_of(path) > step):
            time.sleep(0.002)

    child = start(tmp_path)
    wait_for_more(child, 0)
    child.send_signal(signal.SIGKILL)
    assert finish(child)[0] == -signal.SIGKILL
    killed_at = step_of(path)
    child = start(tmp_path, "--resume")
    wait_for_more(child, killed_at)
    child.send_signal(signal.SIGINT)
    status, said = finish(child)
    assert status == 130, said
    assert f"continues after step {killed_at}\n" in said
    assert said.splitlines()[-1] == (
        f"xaiboard: interrupted after step {step_of(path)} of 220, which 'w/{path.name}' keeps;"
        f" continue with: xaiboard {' '.join(WORDS)} --resume"
    )
    standard = recipe_of("mlp.standard")
    whole = standard("mlp.standard", "digits", out=tmp_path, epochs=10, seed=2)
    parts = standard("mlp.standard", "digits", out=path.parent, epochs=10, seed=2, resume=True)
    assert parts.read_bytes() == whole.read_bytes()
    assert not path.exists()
