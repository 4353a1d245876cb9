"""What the page holds is what was put in."""

from __future__ import annotations

import base64
import gzip
import json
import struct

import numpy as np
import pytest
from xaiboard.benchmark.html_page.packing import pack, quantised


def unpack(text: str) -> tuple[dict, bytes]:
    whole = gzip.decompress(base64.b64decode(text))
    (length,) = struct.unpack("<I", whole[:4])
    return json.loads(whole[4 : 4 + length]), whole[4 + length :]


def test_arrays_stand_where_the_json_says() -> None:
    parts = {
        "a": np.array([1, -2, 3], "i1"),
        "b": [np.array([0.5, 2.0], ">f4"), "text"],
        "c": np.array([], "u2"),
        "d": np.array([2**31 - 1], "i4"),
    }
    known, raw = unpack(pack(parts))
    kinds = {"Int8Array": "<i1", "Float32Array": "<f4", "Uint16Array": "<u2", "Int32Array": "<i4"}
    for place, value in ((known["a"], parts["a"]), (known["b"][0], parts["b"][0]), (known["d"], parts["d"])):
        kind, offset, size = place["$"]
        assert offset % 8 == 0
        assert np.frombuffer(raw, kinds[kind], size, offset).tolist() == value.tolist()
    assert known["c"]["$"][2] == 0
    assert known["b"][1] == "text"


def test_numbers_without_a_value_are_null() -> None:
    assert unpack(pack({"x": [float("nan"), 1.5, float("inf")]}))[0] == {"x": [None, 1.5, None]}


def test_the_same_content_packs_to_the_same_text() -> None:
    assert pack({"x": np.arange(9, dtype="i4")}) == pack({"x": np.arange(9, dtype="i4")})


def test_quantised_numbers_are_exact_to_half_a_step() -> None:
    values = np.array([-3.0, 0.125, np.nan, 5.0, np.inf])
    found = quantised(values)
    assert found["values"].tolist()[2::2] == [65535, 65535]
    finite = np.isfinite(values)
    back = found["low"] + found["step"] * found["values"]
    assert np.abs(back - values)[finite].max() <= found["step"] / 2 + 1e-12
    assert found["step"] == pytest.approx(8 / 65534)


@pytest.mark.parametrize("values", [np.full(3, 2.5), np.array([np.nan, np.nan]), np.array([])])
def test_equal_or_absent_numbers_are_quantised_too(values: np.ndarray) -> None:
    found = quantised(values)
    back = np.where(found["values"] == 65535, np.nan, found["low"] + found["step"] * found["values"])
    np.testing.assert_array_equal(back, values)
