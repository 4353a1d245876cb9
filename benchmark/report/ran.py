"""What ran: the components behind the finished cells of a run."""

from __future__ import annotations

from ..toolkit.labels import dataset_entry, read_trained
from .results import Results


def components_that_ran(results: Results) -> dict[str, list[str]]:
    """Names of the components of finished cells, by kind; networks of one recipe count once, data sets without a path.

    Args:
        results: of the run.
    """
    cells = results.cells[results.cells["status"] == "ok"]
    glossary = results.glossary
    found = {
        "datasets": set(map(dataset_entry, cells["dataset"])),
        "models": {read_trained(name).recipe for name in cells["model"]},
        "methods": {glossary.methods[text].name for text in set(cells["method"]) - {""}},
        "metrics": set(cells["metric"]),
        "perturbations": {glossary.perturbations[text].name for text in set(cells["perturbation"]) - {""}},
    }
    return {kind: sorted(names) for kind, names in found.items()}
