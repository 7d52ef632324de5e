"""Texts, numbers and the choice of a language. Every text that a person reads goes through one of these functions.

A page has hundreds of texts, so language and catalogue are looked up once for each context, not once for each text.
A language is there as soon as `webapp/translations/<language>/LC_MESSAGES/messages.mo` is.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from gettext import NullTranslations
from typing import Any, Final

import flask_babel
from babel.numbers import format_decimal
from flask import Flask, current_app, has_request_context, request
from flask_babel.speaklater import LazyString
from markupsafe import Markup

from webapp.here import context
from webapp.markup import escaped, markup


@dataclass(frozen=True, slots=True)
class Speech:
    """How this context speaks: the texts, and the language as in `locale`."""

    catalogue: NullTranslations
    language: str


_ENGLISH: Final = Speech(NullTranslations(), "en")


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


def speech() -> Speech:
    """Of this context; English outside of an app."""
    try:
        here = context()
    except RuntimeError:
        return _ENGLISH
    try:
        found: Speech = here.tsuzuki_speech
    except AttributeError:
        language = str(flask_babel.get_locale() or "en").replace("_", "-")
        found = here.tsuzuki_speech = Speech(flask_babel.get_translations(), language)
    return found


def locale() -> str:
    """The language of what is being said: en, pt-BR."""
    return speech().language


def number(value: int) -> str:
    """With the signs that the language puts between thousands."""
    return _number(value, locale())


@lru_cache(maxsize=4096)
def _number(value: int, language: str) -> str:
    return str(format_decimal(value, locale=language.replace("-", "_")))


def gettext(message: str, **values: Any) -> str:
    text = speech().catalogue.gettext(message)
    return text % values if values else text


def ngettext(singular: str, plural: str, count: int, /, **values: Any) -> str:
    """`%(num)s` is the count."""
    values.setdefault("num", number(count))
    return speech().catalogue.ngettext(singular, plural, count) % values


def lazy_gettext(message: str) -> Any:
    """For texts in tables: translated when they are shown."""
    return LazyString(gettext, message)


def mark(message: str) -> str:
    """For texts that are looked up by their English: known to translators, translated by whoever shows them."""
    return message


# In templates a text of ours is markup, and the values within it are escaped. As in Jinja's own, a `%` is written `%%`.


def template_gettext(message: str, /, **values: Any) -> Markup:
    catalogue = speech().catalogue
    return _filled(catalogue.gettext(message), values) if values else _plain(catalogue, message)


def template_ngettext(singular: str, plural: str, count: int, /, **values: Any) -> Markup:
    """`%(num)s` is the count."""
    values.setdefault("num", number(count))
    return _filled(speech().catalogue.ngettext(singular, plural, count), values)


@lru_cache(maxsize=4096)  # more than there are texts
def _plain(catalogue: NullTranslations, message: str) -> Markup:
    return markup(catalogue.gettext(message).replace("%%", "%"))


def _filled(text: str, values: dict[str, Any]) -> Markup:
    return markup(text % {name: escaped(value) for name, value in values.items()})
