"""Names and settings of the built-in components are keys of published records, and stay what they are.

A record is found again by the names, versions and settings of its components, in their order and as text. If one of
them changes, finished runs are computed again and published tables no longer join. ``settings.json`` lists them as they
were when the first results were published.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import pytest
import xaiboard.benchmark as xb
from xaiboard.benchmark.components.choice import choose
from xaiboard.benchmark.components.kinds import Component, Metric

KINDS: Mapping[str, Mapping[str, Component]] = {
    "datasets": xb.datasets,
    "models": xb.models,
    "methods": xb.methods,
    "metrics": xb.metrics,
    "perturbations": xb.perturbations,
}  # fmt: skip
PUBLISHED = json.loads((Path(__file__).parent / "settings.json").read_text("utf-8"))


def described(entry: Component) -> dict[str, object]:
    """What identifies a component, in the form of ``settings.json``."""
    choice = choose(entry)
    shared = entry.shared if isinstance(entry, Metric) else {}
    return {
        "supplied": [name for name in entry.supplied if name not in entry.on_request],
        "settings": defaults(entry),
        "choices": {
            setting.name: list(setting.choices)
            for setting in entry.settings.values()
            if setting.choices and not setting.added_later
        },
        "settings_text": choice.settings_text,
        "label": choice.label,
        "identity": choice.identity,
        "shared": {
            name: {"supplied": list(value.supplied), "settings": defaults(value)}
            for name, value in shared.items()
        },
    }


def defaults(entry: Component) -> dict[str, object]:
    """Settings that were added later are left out: at their defaults they identify nothing."""
    return {name: setting.default for name, setting in entry.settings.items() if not setting.added_later}


def test_a_setting_that_was_added_later_counts_once_it_is_changed() -> None:
    before, after = choose(xb.methods["gradcam"]), choose(xb.methods["gradcam"], {"layer": "features.3"})
    assert (before.label, before.settings_text, before.identity["settings"]) == ("gradcam", "", {})
    assert (after.label, after.settings_text) == ("gradcam[layer=features.3]", "layer=features.3")
    assert after.identity["settings"] == {"layer": "features.3"}


@pytest.mark.parametrize("key", PUBLISHED)
def test_a_component_is_identified_as_in_published_records(key: str) -> None:
    """As text, so that the order of settings counts, and 1 is not 1.0."""
    kind, name = key.split("/")
    assert json.dumps(described(KINDS[kind][name])) == json.dumps(PUBLISHED[key])


def test_every_built_in_component_is_listed() -> None:
    built_in = {
        f"{kind}/{name}"
        for kind, registry in KINDS.items()
        for name, entry in registry.items()
        if entry.function.__module__.startswith("xaiboard.")
    }
    assert built_in == set(PUBLISHED)
