"""What the rows of long lists say, as functions like those of `webapp.components`: a page has hundreds of them."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from typing import Any

from markupsafe import Markup

from webapp import times, words
from webapp.addresses import address
from webapp.components import season, told, upfirst
from webapp.i18n import gettext as _
from webapp.i18n import ngettext
from webapp.markup import escaped, markup
from webapp.models import HistoryFinding, PlayRow
from webapp.naming import span
from webapp.queries.logs import Line
from webapp.queries.runs import Part, PlanEntry

# Logs


def log_of_run(lines: Iterable[Line]) -> Markup:
    """Items of the log of one run: when, how serious, what."""
    return markup("".join(
        f'<li data-level="{line.level}"><time datetime="{times.machine(line.created_at)}">{escaped(times.hours_minutes(line.created_at, seconds=True))}</time>'
        f'<span class="level">{escaped(words.label("level", line.level))}</span><span class="message">{told(line.said, line.message)}</span></li>\n'
        for line in lines
    ))  # fmt: skip


def log(lines: Iterable[Line], today: date) -> Markup:
    """Items of the log of everything: with the day where it is not `today`, and with the run."""
    return markup("".join(_line(line, today) for line in lines))


def _line(line: Line, today: date) -> str:
    moment, run_id = line.created_at, line.run_id
    day = times.local_day(moment)
    clock = times.hours_minutes(moment, seconds=True)
    at = clock if day == today else f"{times.day_words(day)} {clock}"
    run = f' <a href="{escaped(address("runs.show", run_id=run_id))}">{escaped(_("run %(id)s", id=run_id))}</a>' if run_id else ""  # fmt: skip
    return (
        f'<li data-level="{line.level}"><time datetime="{times.machine(moment)}" title="{escaped(times.when(moment))}">{escaped(at)}</time>'
        f'<span class="level">{escaped(words.label("level", line.level))}</span><span class="message">{told(line.said, line.message)}{run}</span></li>\n'
    )


# Plays


def goes(play: PlayRow, show: str | None) -> str:
    """Where one play goes: Episode 3 → Cowboy Bebop Season 1, 3."""
    if play.kind == "movie":
        text = _("Movie")
    else:
        text = upfirst(_("episode %(episode)s → %(show)s %(season)s, %(number)s", episode=play.episode, show=show or "", season=season(play.season), number=play.number))  # fmt: skip
    return f"{text}, {_('rewatch')}." if play.nth > 1 else f"{text}."


def watched(play: PlayRow) -> str:
    """When, and what stood there before."""
    text = _("Watched %(at)s.", at=times.on(play.watched_at)) if play.watched_at else _("Without a date.")
    if play.before:
        text += " " + ngettext("%(num)s play of it was there before and stays.", "%(num)s plays of it were there before and stay.", play.before)  # fmt: skip
    return text


def finding(row: HistoryFinding) -> Markup:
    """A play that looks wrong: S1 E3 → S2 E1, on 12 Mar, 14:02 CET, added by scrobble."""
    place = _("Movie") if row.kind == "movie" else f"S{row.season} E{row.number}"
    to = "" if row.to_season is None else f" → S{row.to_season} E{row.to_number}"
    at = f'<time datetime="{times.machine(row.watched_at)}">{escaped(times.on(row.watched_at))}</time>' if row.watched_at else escaped(_("no date"))  # fmt: skip
    how = f", {words.label('action', row.action)}" if row.action else ""
    return markup(f"{escaped(place)}{to}, {at}{escaped(how)}")


# Plans and what runs sent


def part(part: Part) -> Markup:
    """Where some plays of one title go: episodes 13-24 → Season 1, 37-48."""
    if part.kind == "movie":
        text = _("Movie")
    elif part.plays == 1:
        text = _("episode %(first)s → %(season)s, %(start)s", first=part.first_episode, season=season(part.season), start=part.first_number)  # fmt: skip
    else:
        of = {"episodes": span(part.first_episode, part.last_episode), "season": season(part.season), "numbers": span(part.first_number, part.last_number)}  # fmt: skip
        text = _("episodes %(episodes)s → %(season)s, %(numbers)s", **of) if part.unbroken else ngettext("%(num)s episode of %(episodes)s → %(season)s, %(numbers)s", "%(num)s episodes of %(episodes)s → %(season)s, %(numbers)s", part.plays, **of)  # fmt: skip
    again = f' <span class="hint">{escaped(_("rewatch"))}</span>' if part.nth > 1 else ""
    return markup(f"{escaped(text)}{again}")


def dates(row: PlanEntry) -> Markup:
    """When the plays of one title were watched, and where that comes from: 3 Mar – 9 Mar, your progress."""
    days = "".join(f"{escaped(_days(part.earliest, part.latest))}<br>" for part in row.parts)
    known = [source for source in row.parts[0].date_sources.split(" ") if source != "unknown"]  # the days say "no date"
    return markup(
        f'{days}<span class="hint">{escaped(", ".join(words.label("date_source", one) for one in known))}</span>'
    )


def _days(earliest: Any, latest: Any) -> str:
    if not latest:
        return upfirst(_("no date"))
    first, last = times.local_day(earliest), times.local_day(latest)
    said = upfirst(times.day_words(first))
    return said if first == last else f"{said} – {times.day_words(last)}"
