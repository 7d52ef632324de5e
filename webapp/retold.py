"""What jobs have said (`jobs.said`), in the language of the page."""

from __future__ import annotations

from typing import Any

from jobs.said import parts_of
from webapp.evidence import explained
from webapp.i18n import number, speech


def retold(sentence: str) -> str:
    """A sentence that was just made; one that nothing is known of stays as it is."""
    return from_parts(parts_of(sentence)) or str(sentence)


def from_parts(parts: Any) -> str:
    """A stored sentence by its parts; empty where none were stored, or a translation does not fit them."""
    if not parts:
        return ""
    pattern, values, many = parts
    known = speech().catalogue
    text = known.gettext(pattern) if many is None else known.ngettext(pattern, many, values["num"])
    try:
        return text % {name: _value(value) for name, value in values.items()} if values else text
    except (KeyError, ValueError, TypeError):
        return ""


def _value(value: Any) -> str:
    if isinstance(value, int):
        return number(value)
    return from_parts(value) if isinstance(value, list) else explained(value)
