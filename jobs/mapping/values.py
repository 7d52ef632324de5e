"""Values of files that other people write: what fits is taken, what does not is None, never an error.

The bounds keep every value inside the column that holds it, on PostgreSQL too.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from decimal import Decimal
from math import isfinite
from pathlib import Path
from typing import Any

from jobs.errors import BadData
from jobs.said import said

MAX_ID = 2**53
MAX_SMALL = 99_999
LARGEST = 2**63


class UnusableFile(BadData):
    """A downloaded data set that must not replace the rows at hand; `detail` is one plain sentence."""


def whole(value: Any) -> int | None:
    """An integer, also when it is written as text or as a number with a zero fraction; anything else is None."""
    if isinstance(value, bool):
        return None
    if isinstance(value, int):
        return value
    if isinstance(value, float | Decimal):
        # compared before anything is computed: 1e999999999 as an integer would fill the memory
        return int(value) if isfinite(value) and -LARGEST <= value <= LARGEST and value == int(value) else None
    if isinstance(value, str) and re.fullmatch(r"\s*[+-]?\d{1,18}\s*", value, re.ASCII):
        return int(value)
    return None


def identifier(value: Any) -> int | None:
    """An id of a service: 1 to 2**53, else None ("unknown", "movie", 0, -1)."""
    number = whole(value)
    return number if number is not None and 1 <= number <= MAX_ID else None


def identifiers(value: Any) -> tuple[int, ...]:
    """Ids from one value, a list of them, or text with commas; in their order, each once."""
    found = (identifier(part) for part in _parts(value))
    return tuple(dict.fromkeys(number for number in found if number is not None))


def imdb_ids(value: Any) -> tuple[str, ...]:
    """IMDb ids from one value, a list of them, or text with commas; in their order, each once."""
    found = (part.strip() for part in _parts(value) if isinstance(part, str))
    return tuple(dict.fromkeys(part for part in found if re.fullmatch(r"tt\d{5,12}", part, re.ASCII)))


def small(value: Any, *, low: int = 0) -> int | None:
    """A season, an offset or an episode number: `low` to 99,999, else None."""
    number = whole(value)
    return number if number is not None and low <= number <= MAX_SMALL else None


def season_text(value: Any) -> str | None:
    """A season as text: its number, or "a" for absolute numbering; else None."""
    if isinstance(value, str) and value.strip().lower() == "a":
        return "a"
    number = small(value)
    return None if number is None else str(number)


def word(value: Any, length: int = 16) -> str | None:
    """One short word such as a format, in upper case; else None."""
    if isinstance(value, str) and re.fullmatch(rf"[\w -]{{1,{length}}}", value.strip(), re.ASCII):
        return value.strip().upper()
    return None


def episode_range(value: Any) -> tuple[int | None, int | None]:
    """ "13 - 24" -> (13, 24), a single number counts as both ends; anything else is (None, None)."""
    if isinstance(value, str) and (match := re.fullmatch(r"\s*(\d{1,5})\s*-\s*(\d{1,5})\s*", value, re.ASCII)):
        return int(match[1]), int(match[2])
    number = small(value)
    return number, number


def refuse_web_page(path: Path) -> bytes:
    """The first bytes of the file without a byte order mark. Raises `UnusableFile` if it is empty or a web page."""
    with path.open("rb") as file:
        head = file.read(1024).removeprefix(b"\xef\xbb\xbf").lstrip()
    if not head:
        raise UnusableFile(said("The address answered with an empty file."))
    if re.match(rb"<(!doctype\s+html|html|head|body)", head, re.IGNORECASE):
        raise UnusableFile(said("The address answered with a web page instead of the mapping file."))
    return head


def _parts(value: Any) -> Iterable[Any]:
    if isinstance(value, str):
        return value.split(",")
    if isinstance(value, list | tuple):
        return value
    return (value,)
