"""Text and markup, as quick as they go: a page has thousands of values, and most have nothing to escape."""

from __future__ import annotations

import re
from typing import Any

from markupsafe import Markup, escape

_special = re.compile("[&<>\"']").search


def escaped(value: Any) -> str:
    """`value` as it stands in HTML: markup as it is, all else escaped."""
    kind = type(value)
    if kind is Markup:
        return value  # type: ignore[no-any-return]  # it is a str
    if kind is str and _special(value) is None:
        return value  # type: ignore[no-any-return]  # as the line before says
    return str(value) if kind is int else escape(value)


def markup(html: str) -> Markup:
    """For HTML whose every value was escaped."""
    return str.__new__(Markup, html)
