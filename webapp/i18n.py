"""Texts, numbers and the choice of a language. Every text that a person reads goes through one of these functions.

A page has hundreds of texts, so the catalogue is looked up once for each context, not once for each text.
A language is there as soon as `webapp/translations/<language>/LC_MESSAGES/messages.mo` is.
"""

from __future__ import annotations

from functools import lru_cache
from gettext import NullTranslations
from typing import Any, Final

import flask_babel
from babel.numbers import format_decimal
from flask import Flask, current_app, g, has_app_context, has_request_context, request
from flask_babel.speaklater import LazyString
from markupsafe import Markup, escape

_NONE: Final = NullTranslations()


def init_languages(app: Flask) -> None:
    app.config.setdefault("BABEL_DEFAULT_LOCALE", "en")
    app.config.setdefault("BABEL_TRANSLATION_DIRECTORIES", "translations")
    flask_babel.Babel(app, locale_selector=_chosen)


def _chosen() -> str | None:
    """Of the languages that there are, the one that the browser asks for first; None: English."""
    if not has_request_context():
        return None
    offered: dict[str, str] | None = current_app.extensions.get("tsuzuki_languages")
    if offered is None:
        there = [str(one) for one in flask_babel.get_babel().instance.list_translations()]
        offered = current_app.extensions["tsuzuki_languages"] = {one.replace("_", "-"): one for one in there}
    return offered.get(request.accept_languages.best_match(offered) or "")


def locale() -> str:
    """The language of what is being said: en, pt-BR."""
    if not has_app_context():
        return "en"
    return _tag(flask_babel.get_locale())


@lru_cache(maxsize=64)
def _tag(found: object) -> str:
    return str(found or "en").replace("_", "-")


def number(value: int) -> str:
    """With the signs that the language puts between thousands."""
    return _number(value, locale())


@lru_cache(maxsize=4096)
def _number(value: int, language: str) -> str:
    return str(format_decimal(value, locale=language.replace("-", "_")))


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


def ngettext(singular: str, plural: str, count: int, /, **values: Any) -> str:
    """`%(num)s` is the count."""
    values.setdefault("num", number(count))
    return catalogue().ngettext(singular, plural, count) % values


def lazy_gettext(message: str) -> Any:
    """For texts in tables: translated when they are shown."""
    return LazyString(gettext, message)


def mark(message: str) -> str:
    """For texts that are looked up by their English: known to translators, translated by whoever shows them."""
    return message


# In templates a text of ours is markup, and the values within it are escaped. As in Jinja's own, a `%` is written `%%`.


def template_gettext(message: str, /, **values: Any) -> Markup:
    text = catalogue().gettext(message)
    return _filled(text, values) if values else _filled(text.replace("%%", "%"), None)


def template_ngettext(singular: str, plural: str, count: int, /, **values: Any) -> Markup:
    """`%(num)s` is the count."""
    values.setdefault("num", number(count))
    return _filled(catalogue().ngettext(singular, plural, count), values)


def _filled(text: str, values: dict[str, Any] | None) -> Markup:
    if values is not None:
        text %= {name: escape(value) for name, value in values.items()}
    return Markup(text)  # noqa: S704 # the text is a literal of our templates, and its values are escaped
