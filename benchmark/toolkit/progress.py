"""What the error stream shows while something takes its time: bars that move each second, and sentences past them."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from threading import Event, Thread
from typing import TYPE_CHECKING, TypeVar

from tqdm import tqdm as text_bar

if TYPE_CHECKING or not find_spec("ipywidgets"):
    bar_here = text_bar  # tqdm.auto would warn in a notebook that cannot show a widget
else:
    from tqdm.auto import tqdm as bar_here

SECOND = 1.0
"""How often a bar moves, whatever is computed."""


class Bar(bar_here):
    """A bar on the error stream; a widget in notebooks that can show one."""


Shown = TypeVar("Shown", bound=Bar)


@contextmanager
def moving(bar: Shown) -> Iterator[Shown]:
    """Shows the bar anew each second inside the ``with`` block, and closes it at its end."""
    stopped = Event()

    def move() -> None:
        while not stopped.wait(SECOND):
            bar.refresh()

    thread = Thread(target=move, daemon=True)
    with bar:
        if not bar.disable:
            thread.start()
        try:
            yield bar
        finally:
            stopped.set()
            if thread.is_alive():
                thread.join()


@contextmanager
def stage(name: str, *, shown: bool) -> Iterator[Bar]:
    """A line that says what is going on and for how long; ``bar.set_postfix_str`` says more."""
    with moving(
        Bar(total=0, bar_format="{desc}, {elapsed}{postfix}", desc=name, leave=False, disable=not shown)
    ) as bar:
        yield bar


def say(sentence: str) -> None:
    """Says a sentence, past the bars that are shown."""
    text_bar.write(f"xaiboard: {sentence}", file=sys.stderr)
