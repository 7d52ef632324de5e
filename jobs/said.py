"""Sentences that jobs write down and people read: English, and what they are made of, so that a page can say them anew.

`said("%(service)s has %(count)s rows.", service="Otaku", count=1200)` is the English sentence as a `str`. `parts_of` is
its pattern with its values as plain JSON, which is stored beside it; `webapp.retold` says it in another language. The
patterns are known to translators as the texts of `webapp` are: `said` and `counted` stand before literals, always. Pure.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self

Value = str | int


class Said(str):
    """An English sentence that remembers how it was made. Numbers are values, ids are text: they have no thousands."""

    __slots__ = ("many", "pattern", "values")
    pattern: str
    values: Mapping[str, Value]
    many: str | None  # the pattern unless the value `num` is 1

    def __new__(cls, pattern: str, values: Mapping[str, Value], many: str | None = None) -> Self:
        shown = {name: f"{value:,}" if isinstance(value, int) else str(value) for name, value in values.items()}
        used = pattern if many is None or values["num"] == 1 else many
        made = super().__new__(cls, used % shown if shown else used)
        made.pattern, made.values, made.many = pattern, values, many
        return made

    def __reduce__(self) -> Any:
        return Said, (self.pattern, self.values, self.many)


def said(pattern: str, /, **values: Value) -> Said:
    """One sentence, or a part of one that is the value of another. A `%` is written `%%` where there are values."""
    return Said(pattern, values)


def counted(one: str, many: str, num: int, /, **values: Value) -> Said:
    """The same for a number of things: `%(num)s`."""
    return Said(one, {"num": num, **values}, many)


def joined(*sentences: str) -> Said:
    """One after the other; some may be empty."""
    first, *others = [sentence for sentence in sentences if sentence] or [""]
    made = first if isinstance(first, Said) else said("%(text)s", text=first)
    for other in others:
        made = said("%(first)s %(then)s", first=made, then=other)
    return made


def parts_of(sentence: str) -> list[Any] | None:
    """`[pattern, {name: number, text, or the parts of a sentence}, pattern for many]`; None where nothing is known."""
    if not isinstance(sentence, Said):
        return None
    return [sentence.pattern, {name: _part(value) for name, value in sentence.values.items()}, sentence.many]


def made_again(parts: Any, text: str) -> Said:
    """The inverse of `parts_of`; `text` as it stands where no parts are known."""
    if not parts:
        return said("%(text)s", text=text)
    pattern, values, many = parts
    return Said(pattern, {name: made_again(v, "") if isinstance(v, list) else v for name, v in values.items()}, many)


def _part(value: Value) -> Any:
    if isinstance(value, int):
        return value
    return parts_of(value) or str(value)
