"""How Sphinx builds the pages: ``sphinx-build -W docs docs/_build``."""

from __future__ import annotations

import sys
from importlib.metadata import version as installed
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

project = "xaiboard"
author = "The xaiboard authors"
copyright = "The xaiboard authors, MIT licence"
release = version = installed("xaiboard")

extensions = ["myst_parser", "generate"]
exclude_patterns = ["_build", "generate"]
source_suffix = {".md": "markdown"}

myst_enable_extensions = ["attrs_inline", "colon_fence", "deflist"]
myst_heading_anchors = 3

smartquotes = False  # what is shown can be copied into a shell

html_theme = "furo"
html_title = f"xaiboard {release}"
html_static_path = ["_static"]
html_css_files = ["xaiboard.css"]
html_copy_source = False
html_show_sphinx = False
html_theme_options = {"navigation_with_keys": True}
