"""What templates may use: words, times, numbers, titles, assets."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

from flask import Flask, current_app, request, url_for

from webapp import components, evidence, times, words, words_beyond
from webapp.forms import MAX_ID
from webapp.here import reader, the_request
from webapp.i18n import gettext, init_languages, locale, number, template_gettext, template_ngettext
from webapp.models import Media
from webapp.retold import retold

HTMX = "vendor/htmx-2.0.11/htmx.min.js"
THEME_COOKIE = "tsuzuki_theme"
PLAIN = frozenset({str, int, type(None)})  # values of an address that are written as they are
IDS = {int}
TITLES = {"romaji": "title_romaji", "english": "title_english", "native": "title_native"}
THEMES = ("system", "light", "dark")
HTMX_CONFIG = (
    '{"includeIndicatorStyles":false,"allowEval":false,"allowScriptTags":false,"historyCacheSize":0,'
    '"responseHandling":[{"code":"204","swap":false},{"code":"[23]..","swap":true},'
    '{"code":"422","swap":true},{"code":"[45]..","swap":false,"error":true}]}'
)


def init_templates(app: Flask) -> None:
    init_languages(app)
    app.extensions["tsuzuki_addresses"] = Addresses()
    env = app.jinja_env
    env.lstrip_blocks = True
    env.globals.update(_=template_gettext, gettext=template_gettext, ngettext=template_ngettext, url_for=address)
    env.filters.update(
        number=number, when=times.when, on=times.on, clock=times.clock, hm=times.hours_minutes, lasted=times.lasted,
        ago=times.ago, machine=times.machine, day=times.day_words, partialday=times.partial_day, title=title, ranges=ranges, localday=times.local_day, upfirst=components.upfirst, explained=evidence.explained, retold=retold,
    )  # fmt: skip
    env.globals.update(
        words=words,
        words_beyond=words_beyond,
        asset=asset,
        theme=theme,
        HTMX=HTMX,
        HTMX_CONFIG=HTMX_CONFIG,
        zone_name=times.zone_name,
        is_htmx=is_htmx,
        components=components,
        told=components.told,
        locale=locale,
        span=span,
        said=evidence.said,
        date_rules=date_rules,
        outcome_chips=outcome_chips,
    )


def address(endpoint: str, **values: Any) -> str:
    """`url_for` for templates: a page of a hundred rows has hundreds of addresses, and each costs Flask more than its row
    costs the database.

    An address whose values are all ids is built once by Flask; then only the numbers change. Of others the latest are kept.
    """
    try:
        root = the_request().root_path
    except RuntimeError:
        return url_for(endpoint, **values)
    kinds = {type(value) for value in values.values()}
    if endpoint[0] == "." or not kinds <= PLAIN:
        return url_for(endpoint, **values)
    built: Addresses = current_app.extensions["tsuzuki_addresses"]
    if kinds != IDS:
        return built.whole(root, endpoint, *values.items())
    return built.form(root, endpoint, *values) % values


class Addresses:
    """What `address` has built for one app."""

    def __init__(self) -> None:
        self.form = lru_cache(maxsize=512)(self._form)
        self.whole = lru_cache(maxsize=512)(self._whole)

    @staticmethod
    def _whole(_root: str, endpoint: str, *values: tuple[str, Any]) -> str:
        return url_for(endpoint, **dict(values))

    @staticmethod
    def _form(_root: str, endpoint: str, *names: str) -> str:
        places: dict[str, Any] = {name: MAX_ID - index for index, name in enumerate(names)}
        form = url_for(endpoint, **places).replace("%", "%%")
        for name, place in places.items():
            form = form.replace(str(place), f"%({name})d")
        return form


def is_htmx() -> bool:
    """htmx asks for a fragment; a page that htmx restores from history needs the whole."""
    return "HX-Request" in request.headers and "HX-History-Restore-Request" not in request.headers


def asset(name: str) -> str:
    """Address of a static file that changes when the file does: browsers keep it for ever."""
    path = Path(current_app.static_folder or "") / name
    return address("static", filename=name, v=digest(str(path), path.stat().st_mtime_ns))


@lru_cache(maxsize=64)
def digest(path: str, _changed: int) -> str:
    return hashlib.sha256(Path(path).read_bytes()).hexdigest()[:10]


def theme() -> str:
    """system, light or dark: the person's, before the sign-in the browser's last one."""
    person = reader()
    chosen = person.theme if person.is_authenticated else request.cookies.get(THEME_COOKIE, "")
    return chosen if chosen in THEMES else "system"


def title(media: Media | None, language: str | None = None) -> str:
    """In the language that the person chose on AniList, else in one that there is."""
    if media is None:
        return "?"
    column = TITLES.get(str(language or getattr(reader(), "title_language", "")), "")
    found = getattr(media, column, None) or media.title_romaji or media.title_english or media.title_native
    return found or f"AniList {media.anilist_id}"


def ranges(numbers: Iterable[int]) -> str:
    """[1, 2, 3, 7] -> "1-3, 7"."""
    parts: list[list[int]] = []
    for one in sorted(set(numbers)):
        if parts and one == parts[-1][1] + 1:
            parts[-1][1] = one
        else:
            parts.append([one, one])
    return ", ".join(str(a) if a == b else f"{a}-{b}" for a, b in parts)


def span(first: int, last: int) -> str:
    return str(first) if first == last else f"{first}-{last}"


def date_rules() -> list[tuple[str, str]]:
    """Options of a select."""
    return [(code, words.label("date_rule", code)) for code in words.DATE_RULES]


def outcome_chips(run_id: int, counts: Mapping[str, int], kind: str = "outcome") -> list[tuple[str, str, str, int]]:
    """Filters of a run's items; outcomes that nothing has are left out. `kind`: outcome, or planned."""
    found = [code for code in words.OUTCOMES if counts.get(code)]
    return [
        ("", gettext("All"), url_for("runs.show", run_id=run_id), sum(counts.values())),
        *(
            (code, words.label(kind, code), url_for("runs.show", run_id=run_id, outcome=code), counts[code])
            for code in found
        ),
    ]
