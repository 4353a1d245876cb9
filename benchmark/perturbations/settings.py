"""Settings that make no sense are refused before anything is computed."""

from ..errors import SettingError


def radius(perturbation: str, eps: float) -> None:
    """Refuses a radius outside ``[0, 1]``, the range of a pixel.

    Raises:
        SettingError: it is.
    """
    if not 0 <= eps <= 1:
        raise SettingError(
            f"setting 'eps' of '{perturbation}' must be from 0 to 1, the range of a pixel; got '{eps:g}'"
        )
