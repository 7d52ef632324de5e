"""Flask-Babel's functions with types. Every text that a person reads goes through one of them."""

from __future__ import annotations

from typing import Any

import flask_babel


def gettext(message: str, **values: Any) -> str:
    return str(flask_babel.gettext(message, **values))


def ngettext(singular: str, plural: str, number: int, /, **values: Any) -> str:
    """`%(num)s` is the count."""
    return str(flask_babel.ngettext(singular, plural, number, **values))


def lazy_gettext(message: str) -> Any:
    """For texts in tables: translated when they are shown."""
    return flask_babel.lazy_gettext(message)
