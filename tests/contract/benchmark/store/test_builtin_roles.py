"""The roles of built-in components as the store knows them without torch are those that their decorators declare."""

from __future__ import annotations

import xaiboard.benchmark as xb
from xaiboard.benchmark.store.builtin_roles import BUILTIN_ROLES
from xaiboard.benchmark.toolkit.roles import ROLES

REGISTRIES = {"methods": xb.methods, "metrics": xb.metrics, "perturbations": xb.perturbations}


def test_the_store_knows_what_the_components_declare() -> None:
    declared = {
        kind: {name: entry.roles for name, entry in registry.items() if entry.roles}
        for kind, registry in REGISTRIES.items()
    }
    assert declared == BUILTIN_ROLES


def test_each_role_that_a_report_looks_for_has_a_component() -> None:
    found = {role for kind in BUILTIN_ROLES.values() for roles in kind.values() for role in roles}
    assert found == ROLES
