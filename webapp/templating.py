"""What templates may use: words, times, numbers, titles, assets."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path

from flask import Flask, current_app, request, url_for

from webapp import components, evidence, listed, times, words, words_beyond
from webapp.addresses import Addresses, address
from webapp.here import reader
from webapp.i18n import gettext, init_languages, locale, number, template_gettext, template_ngettext
from webapp.jinja import init_jinja
from webapp.naming import ranges, span, title
from webapp.retold import retold

HTMX = "vendor/htmx-2.0.11/htmx.min.js"
THEME_COOKIE = "tsuzuki_theme"
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
    init_jinja(env)
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
        listed=listed,
        locale=locale,
        span=span,
        said=evidence.said,
        date_rules=date_rules,
        outcome_chips=outcome_chips,
    )


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
