"""Finds what is installed by walking the tree: packages under one import name, and the files beside their modules."""

from pathlib import Path

from setuptools import setup

ROOT = Path(__file__).parent
TOP = ("benchmark", "metrics", "models")

packages = {
    f"xaiboard.{folder.as_posix().replace('/', '.')}": folder.as_posix()
    for top in TOP
    for folder in sorted(path.parent.relative_to(ROOT) for path in (ROOT / top).rglob("__init__.py"))
}
data = {
    f"xaiboard.{top}": sorted(
        path.relative_to(ROOT / top).as_posix()
        for path in (ROOT / top).rglob("*")
        if path.is_file() and path.suffix not in (".py", ".pyc") and not path.name.startswith(".")
    )
    for top in TOP
}

setup(packages=list(packages), package_dir=packages, package_data=data)
