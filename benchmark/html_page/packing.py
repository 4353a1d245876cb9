"""Data for the page: JSON beside arrays of numbers, compressed, as text that a script can hold."""

from __future__ import annotations

import base64
import gzip
import json
import struct
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

_KINDS = {"i1": "Int8Array", "u1": "Uint8Array", "i2": "Int16Array", "u2": "Uint16Array", "i4": "Int32Array"}
_KINDS |= {"f4": "Float32Array"}

_ALIGNED = 8
"""Arrays begin at multiples of so many bytes, as typed arrays of a browser must."""


def pack(content: Mapping[str, Any]) -> str:
    """Base64 of gzip of: length of the JSON (4 bytes), the JSON, the arrays.

    Args:
        content: what JSON can hold, and NumPy arrays of 1, 2 or 4 bytes a number. In the JSON an array is
            ``{"$": [kind, offset, length]}``, the offset counted from the end of the padded JSON.
    """
    arrays = bytearray()
    text = json.dumps(_plain(content, arrays), separators=(",", ":"), allow_nan=False).encode()
    text += b" " * (-(len(text) + 4) % _ALIGNED)
    # no date in the head, so that the same run gives the same page
    whole = gzip.compress(struct.pack("<I", len(text)) + text + arrays, 9, mtime=0)
    return base64.b64encode(whole).decode()


def _plain(value: Any, arrays: bytearray) -> Any:  # noqa: ANN401
    if isinstance(value, np.ndarray):
        offset = len(arrays)
        raw = np.ascontiguousarray(value, value.dtype.newbyteorder("<")).tobytes()
        arrays += raw + b"\0" * (-len(raw) % _ALIGNED)
        return {"$": [_KINDS[value.dtype.str[1:]], offset, value.size]}
    if isinstance(value, Mapping):
        return {str(name): _plain(one, arrays) for name, one in value.items()}
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [_plain(one, arrays) for one in value]
    return None if isinstance(value, float) and not np.isfinite(value) else value


def quantised(values: np.ndarray) -> dict[str, Any]:
    """Numbers as 65,535 steps between the smallest and the largest; 65,535 itself where one is not finite.

    Args:
        values: of any shape.
    """
    finite = np.isfinite(values)
    low = float(values[finite].min()) if finite.any() else 0.0
    high = float(values[finite].max()) if finite.any() else 0.0
    step = (high - low) / 65534 or 1.0
    steps = np.where(finite, np.rint((np.where(finite, values, low) - low) / step), 65535)
    return {"low": low, "step": step, "values": steps.astype("u2").ravel()}
