"""Components that stand in every row of a list, as functions: a macro of Jinja costs several times as much.

`_macros.html` gives them out under the same names as its macros.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from functools import lru_cache
from typing import Any

from flask_wtf.csrf import generate_csrf
from markupsafe import Markup

from webapp import times, words
from webapp.here import context, reader
from webapp.i18n import gettext as _
from webapp.i18n import locale
from webapp.markup import escaped, markup
from webapp.models import Media, Run
from webapp.retold import from_parts

MOST_SPANS = 4  # named in one sentence


def season(number: int) -> str:
    return _("Specials") if number == 0 else _("Season %(number)s", number=number)


def place(where: Mapping[str, Any] | None) -> str:
    """Where spans lead: "episodes 13-24 → Season 1, 37-48". `where` is the JSON of a placement or a candidate."""
    if where and where.get("kind") == "movie":
        return _("Movie")
    spans = where.get("spans") if where else None
    if not spans:
        return "–"
    return "; ".join(_span(span) for span in spans[:MOST_SPANS]) + (" …" if len(spans) > MOST_SPANS else "")


def _span(span: Mapping[str, Any]) -> str:
    first, last, start, name = span["from"], span.get("to"), span["start"], season(span["season"])
    if not last:
        return _("episodes from %(first)s on → %(season)s, from %(start)s on", first=first, season=name, start=start)
    if last == first:
        return _("episode %(first)s → %(season)s, %(start)s", first=first, season=name, start=start)
    return _("episodes %(first)s-%(last)s → %(season)s, %(start)s-%(end)s", first=first, last=last, season=name, start=start, end=start + last - first)  # fmt: skip


def badge(tone: str, said: str, title: str = "") -> Markup:
    """A state: a dot with its own shape, and its word."""
    more = f' title="{escaped(title)}"' if title else ""
    return markup(f'<span class="badge" data-state="{escaped(tone)}"{more}>{escaped(said)}</span>')


def state(kind: str, code: str | None) -> Markup:
    return badge(words.tone(kind, code), words.label(kind, code))


def run_badge(run: Run) -> Markup:
    return badge(words.tone("state", words.run_state(run)), words.run_label(run))


def poster(media: Media | None, class_: str = "") -> Markup:
    """A picture from AniList's host over a letter, so that one that is missing or switched off leaves a quiet place."""
    picture = ""
    if media is not None and media.cover_url and reader().posters:
        blur = ' class="blur"' if media.is_adult else ""
        picture = f'<img{blur} src="{escaped(media.cover_url)}" alt="" loading="lazy" decoding="async" width="40" height="56">'  # fmt: skip
    of = media.anilist_id if media is not None else None
    return markup(f'<span class="poster {escaped(class_)}" data-tone="{tone(of)}" aria-hidden="true">{escaped(initial(media))}{picture}</span>')  # fmt: skip


def act(action: str, said: str, class_: str = "", fields: Mapping[str, Any] | None = None, label: str = "", key: str = "") -> Markup:  # fmt: skip
    """A button that acts: a form of its own, with its token. `fields` are its hidden values; `key` presses it."""
    more = (f' aria-label="{escaped(label)}"' if label else "") + (f' data-key="{escaped(key)}"' if key else "")
    button = f'<button class="btn {escaped(class_)}"{more}>{escaped(said)}</button>'
    return markup(f'<form method="post" action="{escaped(action)}" class="act">{token()}{hidden(fields or {})}{button}</form>')  # fmt: skip


def press(form: str, said: str, name: str, value: object, label: str = "") -> Markup:
    """A small button of a form that stands elsewhere on the page, whose id is `form`: it sends one value of its own."""
    more = f' aria-label="{escaped(label)}"' if label else ""
    return markup(f'<button class="btn small" form="{escaped(form)}" name="{escaped(name)}" value="{escaped(value)}"{more}>{escaped(said)}</button>')  # fmt: skip


def token() -> Markup:
    """The field that every form has."""
    return hidden({"csrf_token": getattr(context(), "csrf_token", None) or generate_csrf()})  # kept there by Flask-WTF


def hidden(fields: Mapping[str, Any]) -> Markup:
    return markup("".join(f'<input type="hidden" name="{escaped(name)}" value="{escaped(value)}">' for name, value in fields.items()))  # fmt: skip


@lru_cache(maxsize=4)
def suggestions(values: tuple[str, ...]) -> Markup:
    """For a `<datalist>`: hundreds that are the same for everyone."""
    return markup("".join(f'<option value="{escaped(value)}"></option>' for value in values))


def initial(media: Media | None) -> str:
    """One character for the place of a poster."""
    text = (media.title_native or media.title_romaji or media.title_english) if media else None
    return next((letter for letter in text or "" if letter.isalnum()), "?").upper()


def tone(number: int | None) -> int:
    """One of eight quiet colours, always the same for one title."""
    return (number or 0) % 8


def time(moment: datetime | None, text: str | None = None) -> Markup:
    """For a machine and for a person; a dash where there is no moment."""
    if moment is None:
        return markup("–")
    said = upfirst(times.when(moment)) if text is None else text
    return markup(f'<time datetime="{times.machine(moment)}">{escaped(said)}</time>')


def told(said: Any, english: str) -> Markup:
    """What a job wrote, in the language of the page; in English, and marked so, where nothing is known of it."""
    if locale() == "en":
        return markup(escaped(english))
    known = from_parts(said)
    return markup(escaped(known) if known else f'<span lang="en">{escaped(english)}</span>')


def upfirst(text: str) -> str:
    """For words that begin a line: Today, 14:02."""
    bare = str.strip(text)  # of markup too the plain words: adding those up is cheaper
    said = bare[:1].upper() + bare[1:]
    return markup(said) if type(text) is Markup else said
