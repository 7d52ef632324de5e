"""Flask-Babel's functions with types. Every text that a person reads goes through one of them.

A page has hundreds of texts, so the catalogue is looked up once for each context, not once for each text.
"""

from __future__ import annotations

from gettext import NullTranslations
from typing import Any, Final

import flask_babel
from flask import g, has_app_context
from flask_babel.speaklater import LazyString
from markupsafe import Markup, escape

_NONE: Final = NullTranslations()


def catalogue() -> NullTranslations:
    """The translations of this request; the texts themselves outside of an app."""
    if not has_app_context():
        return _NONE
    found: NullTranslations | None = g.get("tsuzuki_catalogue")
    if found is None:
        found = g.tsuzuki_catalogue = flask_babel.get_translations()
    return found


def gettext(message: str, **values: Any) -> str:
    text = catalogue().gettext(message)
    return text % values if values else text


def ngettext(singular: str, plural: str, number: int, /, **values: Any) -> str:
    """`%(num)s` is the count."""
    values.setdefault("num", number)
    return catalogue().ngettext(singular, plural, number) % values


def lazy_gettext(message: str) -> Any:
    """For texts in tables: translated when they are shown."""
    return LazyString(gettext, message)


# In templates a text of ours is markup, and the values within it are escaped. As in Jinja's own, a `%` is written `%%`.


def template_gettext(message: str, /, **values: Any) -> Markup:
    text = catalogue().gettext(message)
    return _filled(text, values) if values else _filled(text.replace("%%", "%"), None)


def template_ngettext(singular: str, plural: str, number: int, /, **values: Any) -> Markup:
    """`%(num)s` is the count."""
    values.setdefault("num", number)
    return _filled(catalogue().ngettext(singular, plural, number), values)


def _filled(text: str, values: dict[str, Any] | None) -> Markup:
    if values is not None:
        text %= {name: escape(value) for name, value in values.items()}
    return Markup(text)  # noqa: S704 # the text is a literal of our templates, and its values are escaped
