"""Settings that make no sense are refused before anything is computed."""

from math import inf

from ..errors import SettingError


def positive(component: str, **settings: float) -> None:
    """Refuses settings of a component that are not positive, infinite, or not a number.

    Raises:
        SettingError: a setting is.
    """
    for name, value in settings.items():
        if not 0 < value < inf:
            wanted = "finite" if value == inf else "positive"
            raise SettingError(f"setting '{name}' of '{component}' must be {wanted}; got '{value:g}'")
