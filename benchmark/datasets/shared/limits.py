"""How much images and archives may unpack to: guards against files that are small on a disk and large in memory."""

from __future__ import annotations

import os
from dataclasses import dataclass

from ...errors import XaiboardError


@dataclass(frozen=True)
class Limit:
    """A number of bytes that the user can change.

    Args:
        name: of the environment variable that holds another number.
        default: the number where that is not set.
    """

    name: str
    default: int

    @property
    def bytes(self) -> int:
        """The number.

        Raises:
            XaiboardError: the environment variable is no whole number from 1.
        """
        given = os.environ.get(self.name, str(self.default))
        if not given.isdecimal() or int(given) < 1:
            raise XaiboardError(
                f"{self.name} must be a number of bytes, such as {self.default}; got '{given}'"
            )
        return int(given)

    def check(self, needed: int) -> None:
        """Refuses more than so many bytes.

        Raises:
            ValueError: ``needed`` is more; the message fits into a sentence about the file, and names the setting.
        """
        if needed > self.bytes:
            raise ValueError(
                f"it unpacks to {needed} bytes, and {self.name} allows {self.bytes}; raise that if you trust it"
            )


OF_IMAGE = Limit("XAIBOARD_IMAGE_BYTES", 2**27)
"""One image, with three bytes a pixel; and a single file in a zip."""

OF_DATA = Limit("XAIBOARD_DATA_BYTES", 2**33)
"""All images of a split, with one byte a value; and a compressed file of a data set."""
