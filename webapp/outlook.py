"""What a place would mean for one title, before it is saved: where each episode goes, what Trakt has, what would move. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from webapp import bars
from webapp.i18n import gettext as _
from webapp.i18n import ngettext
from webapp.naming import ranges

Seasons = bars.Seasons
Spans = Sequence[Mapping[str, Any]]  # as in bars; `to` None: to the end
Place = tuple[int, int]  # season, number
MOST_ROWS: Final = 60  # episodes that are listed one by one; longer titles show what is special only


@dataclass(frozen=True, slots=True)
class Standing:
    """A play of ours that stands on Trakt, and the show or movie where it does."""

    episode: int
    kind: str
    trakt_id: int
    season: int
    number: int


@dataclass(frozen=True, slots=True)
class Line:
    """One episode. `state`: there, ours, new, unlisted, shared, open (no place)."""

    episode: int
    place: Place | None
    name: str | None
    state: str
    watched_at: datetime | None = None
    other: str | None = None  # the title that stands there too


@dataclass(frozen=True, slots=True)
class Outlook:
    """`says`: consequences in sentences, the weightiest first; `moves`: plays that stand elsewhere now."""

    drawing: bars.Drawing | None
    lines: Sequence[Line]
    left_out: int
    says: Sequence[str]
    moves: int


def place_of(spans: Spans, episode: int) -> Place | None:
    for span in spans:
        if span["from"] <= episode and (span["to"] is None or episode <= span["to"]):
            return span["season"], span["start"] + episode - span["from"]
    return None


def show_outlook(
    spans: Spans,
    *,
    trakt_id: int,
    length: int,
    watched: int,
    seasons: Seasons,
    on_trakt: Mapping[Place, tuple[int, datetime | None]],
    ours: Sequence[Standing],
    others: Mapping[str, Spans],
) -> Outlook:
    """Episodes 1..`length` of a title at `spans` of a show. `others`: places of other titles of that show, by name."""
    listed = {(int(s), int(row[0])): row for s, rows in seasons.items() for row in rows}
    standing = {(play.season, play.number) for play in ours if (play.kind, play.trakt_id) == ("episode", trakt_id)}
    taken = {place: name for name, theirs in others.items() for place in _places(theirs)}
    lines = []
    for episode in range(1, length + 1):
        place = place_of(spans, episode)
        row = listed.get(place) if place else None
        seen = on_trakt.get(place) if place else None
        if place is None:
            state = "open"
        elif place in standing:
            state = "ours"
        elif place in taken:
            state = "shared"
        elif seen:
            state = "there"
        else:
            state = "new" if row or not listed else "unlisted"
        name = row[3] if row and len(row) > 3 else None
        lines.append(Line(episode, place, name, state, seen[1] if seen else None, taken.get(place) if place else None))
    moved = _moved(ours, trakt_id, spans)
    says = [*_moves(moved), *_counts(lines, watched), *_clashes(lines)]
    shown = (
        lines if len(lines) <= MOST_ROWS else [line for line in lines if line.state in ("unlisted", "open", "shared")]
    )
    drawing = bars.draw(
        seasons, [_closed(span, length) for span in spans], watched, [s for t in others.values() for s in t]
    )
    return Outlook(drawing, shown[:MOST_ROWS], len(lines) - len(shown[:MOST_ROWS]), says, len(moved))


def movie_outlook(trakt_id: int, *, ours: Sequence[Standing], seen: bool) -> Outlook:
    """The same for a movie."""
    moved = [play for play in ours if (play.kind, play.trakt_id) != ("movie", trakt_id)]
    says = _moves(moved)
    if seen:
        says = [*says, _("Trakt has a play of this movie already; nothing is sent again.")]
    return Outlook(None, (), 0, says, len(moved))


def _closed(span: Mapping[str, Any], length: int) -> dict[str, int]:
    return {**span, "to": span["to"] or max(length, span["from"])}


def _places(spans: Spans) -> Iterable[Place]:
    for span in spans:
        for episode in range(span["from"], min(span["to"] or span["from"], span["from"] + 5000) + 1):
            yield span["season"], span["start"] + episode - span["from"]


def _moved(ours: Sequence[Standing], trakt_id: int, spans: Spans) -> list[Standing]:
    found = []
    for play in ours:
        place = place_of(spans, play.episode)
        there = (play.kind, play.trakt_id, play.season, play.number)
        if place is not None and there != ("episode", trakt_id, *place):
            found.append(play)
    return found


def _moves(moved: Sequence[Standing]) -> list[str]:
    """ "12 plays stand on Season 1, 25-36. They will be removed there and added here." """
    seasons: dict[tuple[str, int, int], list[int]] = {}
    for play in moved:
        seasons.setdefault((play.kind, play.trakt_id, play.season), []).append(play.number)
    says = []
    for (kind, trakt_id, season), numbers in seasons.items():
        if kind == "movie":
            where = _("movie %(id)s", id=trakt_id)
        else:
            name = _("the specials") if season == 0 else _("Season %(number)s", number=season)
            where = f"{name}, {ranges(numbers)}"
        says.append(
            ngettext(
                "%(num)s play stands on %(where)s. It will be removed there and added here.",
                "%(num)s plays stand on %(where)s. They will be removed there and added here.",
                len(numbers),
                where=where,
            )
        )
    return says


def _counts(lines: Sequence[Line], watched: int) -> list[str]:
    seen = [line for line in lines if line.episode <= watched]
    new = sum(line.state == "new" for line in seen)
    there = sum(line.state in ("there", "ours") for line in seen)
    unlisted = [line.place[1] for line in lines if line.state == "unlisted" and line.place]
    nowhere = [line.episode for line in seen if line.state == "open"]
    says = []
    if new:
        says.append(
            ngettext("%(num)s episode would be added to Trakt.", "%(num)s episodes would be added to Trakt.", new)
        )
    if there:
        says.append(ngettext("%(num)s is there already.", "%(num)s are there already.", there))
    if unlisted:
        says.append(_("Trakt does not list %(which)s there; what it does not list waits.", which=ranges(unlisted)))
    if nowhere:
        says.append(_("Episodes %(which)s have no place and stay here.", which=ranges(nowhere)))
    return says


def _clashes(lines: Sequence[Line]) -> list[str]:
    by_title: dict[str, list[int]] = {}
    for line in lines:
        if line.other and line.place:
            by_title.setdefault(line.other, []).append(line.place[1])
    return [
        _("%(title)s stands on %(which)s too; each episode is sent once.", title=title, which=ranges(numbers))
        for title, numbers in by_title.items()
    ]
