"""Plug-ins: files and entry points, and what is said of those that cannot be loaded."""

from __future__ import annotations

import importlib.metadata
import sys
import traceback
from collections.abc import Iterator
from pathlib import Path

import pytest
import xaiboard.benchmark as xb
from xaiboard.benchmark.components import plugins

METHOD = '''
from xaiboard.benchmark import method

@method(source="mine")
def {name}(x):
    """The image itself."""
    return x
'''


@pytest.fixture(autouse=True)
def modules() -> Iterator[None]:
    """Takes back what plug-ins import."""
    names, path = set(sys.modules), list(sys.path)
    yield
    for name in set(sys.modules) - names:
        if name.startswith(("xaiboard_plugin", "sibling", "installed")):
            del sys.modules[name]
    sys.path[:] = path


def write(folder: Path, text: str, name: str = "plugin.py") -> Path:
    path = folder / name
    path.write_text(text)
    return path


def test_a_file_registers_its_components(tmp_path: Path) -> None:
    plugins.load_plugins([write(tmp_path, METHOD.format(name="mirror"))])
    assert xb.methods["mirror"].summary == "The image itself."
    assert xb.methods["mirror"].folder == tmp_path


def test_loaded_twice_is_harmless(tmp_path: Path) -> None:
    path = write(tmp_path, METHOD.format(name="mirror"))
    plugins.load_plugins([path, str(path)])
    first = xb.methods["mirror"]
    plugins.load_plugins([path])
    assert xb.methods["mirror"] is first


def test_two_files_of_one_name_in_two_folders(tmp_path: Path) -> None:
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        plugins.load_plugins([write(tmp_path / name, METHOD.format(name=name))])
    assert {"one", "two"} <= set(xb.methods)


def test_a_plug_in_may_not_take_a_built_in_name(tmp_path: Path) -> None:
    with pytest.raises(xb.XaiboardError, match="two methods named 'saliency'"):
        plugins.load_plugins([write(tmp_path, METHOD.format(name="saliency"))])
    assert xb.methods["saliency"].function.__module__ == "xaiboard.benchmark.methods.saliency"


def test_modules_beside_the_file_can_be_imported(tmp_path: Path) -> None:
    write(tmp_path, "VALUE = 'from the sibling'", "sibling_of_plugin.py")
    text = (
        METHOD.format(name="mirror") + "\nimport sibling_of_plugin\nmirror.value = sibling_of_plugin.VALUE\n"
    )
    plugins.load_plugins([write(tmp_path, text)])
    assert xb.methods["mirror"].function.value == "from the sibling"  # pyright: ignore[reportFunctionMemberAccess]


@pytest.mark.parametrize("name", ["missing.py", "text.txt", "."])
def test_what_is_no_python_file_is_said(tmp_path: Path, name: str) -> None:
    (tmp_path / "text.txt").write_text("hello")
    with pytest.raises(
        xb.XaiboardError, match=r"plug-in '.*' is not a Python file; give the path of a .py file"
    ):
        plugins.load_plugins([tmp_path / name])


def test_a_syntax_error_is_one_sentence_with_its_line(tmp_path: Path) -> None:
    path = write(tmp_path, "x = 1\n\ndef broken(:\n    pass\n")
    with pytest.raises(
        xb.XaiboardError, match=r"plug-in '.*plugin.py' has a syntax error in line 3: "
    ) as caught:
        plugins.load_plugins([path])
    assert "\n" not in str(caught.value)
    path.write_text(METHOD.format(name="mended"))
    plugins.load_plugins([path])
    assert "mended" in xb.methods


def test_a_failing_import_keeps_its_own_traceback(tmp_path: Path) -> None:
    path = write(tmp_path, "def wrong():\n    return 1 / 0\n\nwrong()\n")
    before = set(sys.modules)
    with pytest.raises(ZeroDivisionError) as caught:
        plugins.load_plugins([path])
    frames = traceback.extract_tb(caught.value.__traceback__)
    assert [(frame.filename, frame.lineno) for frame in frames[-2:]] == [(str(path), 4), (str(path), 2)]
    assert not [name for name in set(sys.modules) - before if name.startswith("xaiboard_plugin")]


def test_a_syntax_error_of_a_module_that_it_imports_is_not_taken_for_its_own(tmp_path: Path) -> None:
    write(tmp_path, "def broken(:\n", "sibling_broken.py")
    with pytest.raises(SyntaxError):
        plugins.load_plugins([write(tmp_path, "import sibling_broken\n")])


def test_a_component_that_breaks_the_contract_stops_the_plug_in(tmp_path: Path) -> None:
    text = METHOD.format(name="mirror").replace("(x)", "(inputs)")
    with pytest.raises(xb.XaiboardError, match="method 'mirror' asks for 'inputs'"):
        plugins.load_plugins([write(tmp_path, text)])


def test_installed_distributions_register_through_the_entry_point_group(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(tmp_path, METHOD.format(name="from_entry_point"), "installed_plugin.py")
    monkeypatch.syspath_prepend(tmp_path)
    entry = importlib.metadata.EntryPoint("mine", "installed_plugin", "xaiboard")

    def entry_points(*, group: str) -> list[importlib.metadata.EntryPoint]:
        return [entry] if group == "xaiboard" else []

    monkeypatch.setattr(plugins, "entry_points", entry_points)
    plugins.load_entry_points.cache_clear()
    plugins.load_plugins([])
    assert "from_entry_point" in xb.methods
    plugins.load_entry_points.cache_clear()


def test_check_reports_a_plug_in_s_problems_only(tmp_path: Path) -> None:
    text = METHOD.format(name="good") + METHOD.format(name="bad").replace("return x", "return x.mean()")
    lines: list[str] = []
    problems = xb.check(plugins=[write(tmp_path, text)], echo=lines.append)
    assert {problem.component for problem in problems} == {"bad"}
    assert not any("saliency" in line for line in lines)
    assert any(line.startswith("method good:") and "checks hold" in line for line in lines)
    assert any("must return finite values shaped" in line for line in lines)


def test_check_of_a_file_that_was_loaded_before(tmp_path: Path) -> None:
    path = write(tmp_path, METHOD.format(name="bad").replace("return x", "return x.mean()"))
    plugins.load_plugins([path])
    assert xb.check(plugins=[path])


def test_a_run_takes_plug_ins(tmp_path: Path, selection: dict, quick: None) -> None:
    path = write(tmp_path, METHOD.format(name="mirror"))
    changed = {"methods": "mirror", "plugins": [path], "out": tmp_path / "run", "progress": False}
    finished = xb.run(**{**selection, **changed})
    assert set(finished.cells["method"]) == {"", "mirror"}
    assert finished.failed.empty
