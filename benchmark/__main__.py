"""``python -m xaiboard.benchmark`` is the command ``xaiboard``."""

from .cli import main

main()
