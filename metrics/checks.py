"""Settings that make no sense are the user's mistake, told in one sentence."""

from ..benchmark.errors import XaiboardError


def at_least(least: float, metric: str, **settings: float) -> None:
    """Refuses a setting below ``least``.

    Raises:
        XaiboardError: a setting is smaller.
    """
    for name, value in settings.items():
        if value < least:
            raise XaiboardError(f"setting '{name}' of '{metric}' must be at least {least:g}; got '{value:g}'")
