"""How the picture of a Trakt account is kept: packed in parts by show and movie, so that a page unpacks one part only.

The whole of a large account takes a tenth of a second to read; what stands of one show is asked with every title's page.
"""

from __future__ import annotations

import json
import struct
import zlib
from collections.abc import Mapping
from typing import Any, Final

PARTS: Final = 64
MARK: Final = b"P1"  # a picture of before is one zlib stream, which begins otherwise
_HEAD: Final = struct.Struct(f">{len(MARK)}s{PARTS}I")  # the lengths of the parts

Content = dict[str, dict[str, Any]]  # {"shows": {id: {season: {number: [plays, last]}}}, "movies": {id: [plays, last]}}


def pack(content: Mapping[str, Mapping[str, Any]]) -> bytes:
    """Ids, seasons and numbers are text, times ISO text or None."""
    parts: list[Content] = [{"shows": {}, "movies": {}} for _part in range(PARTS)]
    for kind, rows in content.items():
        for trakt_id, watched in rows.items():
            parts[int(trakt_id) % PARTS][kind][trakt_id] = watched
    packed = [zlib.compress(json.dumps(part, separators=(",", ":")).encode()) for part in parts]
    return _HEAD.pack(MARK, *map(len, packed)) + b"".join(packed)


def unpack(packed: bytes) -> Content:
    """All of it."""
    if not packed.startswith(MARK):
        return _read(packed)
    content: Content = {"shows": {}, "movies": {}}
    start = _HEAD.size
    for length in _lengths(packed):
        part = _read(packed[start : start + length])
        start += length
        for kind, rows in part.items():
            content[kind].update(rows)
    return content


def unpack_one(packed: bytes, kind: str, trakt_id: int) -> Any:
    """What stands of one of the `shows` or `movies`; None when nothing does."""
    if not packed.startswith(MARK):
        return _read(packed)[kind].get(str(trakt_id))
    lengths = _lengths(packed)
    part = trakt_id % PARTS
    start = _HEAD.size + sum(lengths[:part])
    return _read(packed[start : start + lengths[part]])[kind].get(str(trakt_id))


def _lengths(packed: bytes) -> list[int]:
    return list(_HEAD.unpack_from(packed)[1:])


def _read(packed: bytes) -> Content:
    content: Content = json.loads(zlib.decompress(packed))
    return content
