"""The picture of a Trakt account is kept in parts: one show is found without reading all, and nothing is lost."""

from __future__ import annotations

import json
import zlib
from typing import Any

import pytest

from webapp import picture_file

CONTENT: dict[str, dict[str, Any]] = {
    "shows": {str(n): {"1": {"1": [1, "2020-04-08T15:00:00Z"], "2": [2, None]}, "0": {"7": [1, None]}} for n in range(1, 400, 3)},
    "movies": {str(n): [n, None] for n in range(1, 300, 7)},
}  # fmt: skip
OLD = zlib.compress(json.dumps(CONTENT).encode())


@pytest.mark.parametrize("packed", [picture_file.pack(CONTENT), OLD], ids=["in parts", "of before"])
def test_what_was_packed_is_there_again_as_a_whole_and_one_by_one(packed: bytes) -> None:
    assert picture_file.unpack(packed) == CONTENT
    for kind, rows in CONTENT.items():
        for number in range(1, 420):
            assert picture_file.unpack_one(packed, kind, number) == rows.get(str(number))


def test_an_empty_picture_has_nothing() -> None:
    packed = picture_file.pack({"shows": {}, "movies": {}})
    assert picture_file.unpack(packed) == {"shows": {}, "movies": {}}
    assert picture_file.unpack_one(packed, "shows", 1) is None


def test_one_show_costs_a_part_of_the_file() -> None:
    packed = bytearray(picture_file.pack(CONTENT))
    packed[-20:] = b"?" * 20  # the last part is that of the ids whose rest is 63
    assert picture_file.unpack_one(bytes(packed), "shows", 1) == CONTENT["shows"]["1"]
    with pytest.raises(zlib.error):
        picture_file.unpack_one(bytes(packed), "shows", picture_file.PARTS - 1)
