"""What goes to Trakt beyond plays: scores become ratings, planned titles the watchlist, dropped ones dropped shows.

Pure and deterministic. Only what Trakt does not have is ever wanted; nothing is changed or taken away.

rating     of a title that was finished or dropped (what is still being watched may get another score, and a rating
           that stands is never changed): a movie rates the movie; a title that fills a season of a show rates the
           season, or the show when that is its only season; every other title rates nothing
watchlist  a planned movie, or the show of a planned title while nothing of that show was seen; of a show that was begun
           the season, when the title fills one
dropped    the show of a dropped title, unless another title of that show is watched, paused or planned, or was finished
           after it
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, tzinfo
from typing import Literal

from jobs.dates import last_moment
from jobs.filters import Filters
from jobs.records import Kind, ListEntry, Picture, Placement, Shape

ExtraKind = Literal["rating", "watchlist", "dropped"]
TargetKind = Literal["movie", "show", "season"]
KINDS: tuple[ExtraKind, ...] = ("rating", "watchlist", "dropped")
RATED = frozenset({"COMPLETED", "REPEATING", "DROPPED"})
GOES_ON = frozenset({"CURRENT", "REPEATING", "PAUSED", "PLANNING"})
ASIDE = frozenset({"SPECIAL", "OVA", "MUSIC", "MOVIE"})  # formats that stand beside a show's regular titles
HELD_STATES = frozenset({"gone", "removed", "rejected"})


@dataclass(frozen=True, slots=True, order=True)
class Target:
    """A movie, a show or one of its seasons on Trakt; `season` is 0 unless it is a season."""

    kind: TargetKind
    trakt_id: int
    season: int = 0


@dataclass(frozen=True, slots=True)
class Extra:
    """One thing to send. `value`: the rating, 1 to 10, or 0; `rated_at`: the day that a rating belongs to."""

    kind: ExtraKind
    target: Target
    anilist_id: int
    value: int = 0
    rated_at: datetime | None = None

    @property
    def key(self) -> tuple[ExtraKind, Target]:
        return self.kind, self.target

    @property
    def code(self) -> str:
        """The same as text, for forms and options: "rating:season:500:1"."""
        return f"{self.kind}:{self.target.kind}:{self.target.trakt_id}:{self.target.season}"


@dataclass(frozen=True, slots=True)
class Title:
    """One title of the list, with where it stands as far as that is known."""

    entry: ListEntry
    kind: Kind | None = None
    trakt_id: int | None = None  # of the show or movie
    placement: Placement | None = None
    choice: str | None = None  # never, scrobbler, ignored


@dataclass(frozen=True, slots=True)
class ExtraRules:
    """What the person switched on and what they leave out."""

    kinds: Collection[ExtraKind]
    statuses: Collection[str]
    send_private: bool
    filters: Filters
    zone: tzinfo
    now: datetime


@dataclass(frozen=True, slots=True)
class Sent:
    """What the ledger says of one target."""

    state: str  # see models.extras
    held: bool = True

    @property
    def is_open(self) -> bool:
        """Whether it may be sent once more: it was taken away or refused, and "send again" was pressed."""
        return self.state in HELD_STATES and not self.held


@dataclass(frozen=True, slots=True)
class Decided:
    """What is sent, and what is not and why."""

    new: tuple[Extra, ...] = ()
    already: tuple[Extra, ...] = ()  # Trakt has it
    different: tuple[Extra, ...] = ()  # Trakt has another rating, which stays
    held: tuple[Extra, ...] = ()  # was removed or refused; "send again" clears it


Existing = Mapping[ExtraKind, Mapping[Target, int]]


def rating_of(score: int) -> int:
    """AniList's 0 to 100 as Trakt's 1 to 10, halves up; 0: no rating."""
    return 0 if score <= 0 else max((min(score, 100) + 5) // 10, 1)


def season_filled(entry: ListEntry, placement: Placement, shape: Shape) -> int | None:
    """The season that is this title from its first to its last episode, or None. Specials are no season."""
    length = entry.media.episodes
    if not length:
        return None
    places = {placement.place_of(episode) for episode in range(1, length + 1)}
    seasons = {place[0] for place in places if place is not None}
    if None in places or len(seasons) != 1:
        return None
    (season,) = seasons
    listed = {(season, slot.number) for slot in shape.seasons.get(season, ())}
    return season if season > 0 and places == listed else None


def unit_of(title: Title, shapes: Mapping[int, Shape]) -> Target | None:
    """What a title stands for as a whole: a movie, a season, or a show that has one season only."""
    placement = title.placement
    if placement is None:
        return None
    if placement.kind == "movie":
        return Target("movie", placement.trakt_id)
    shape = shapes.get(placement.trakt_id)
    season = season_filled(title.entry, placement, shape) if shape is not None else None
    if shape is None or season is None:
        return None
    if [number for number in shape.seasons if number > 0 and shape.seasons[number]] == [season]:
        return Target("show", placement.trakt_id)
    return Target("season", placement.trakt_id, season)


def wanted(
    titles: Sequence[Title], shapes: Mapping[int, Shape], picture: Picture, rules: ExtraRules
) -> tuple[Extra, ...]:
    """Everything that the list asks for, each target once, in an order that is always the same."""
    found: list[Extra] = []
    if "rating" in rules.kinds:
        found += _agreeing(_rating(title, shapes, rules) for title in titles)
    if "watchlist" in rules.kinds:
        begun = _begun(titles, picture)
        found += _agreeing(_planned(title, shapes, picture, begun, rules) for title in titles)
    if "dropped" in rules.kinds:
        found += _agreeing(_dropped(titles, rules))
    return tuple(sorted(found, key=lambda extra: (KINDS.index(extra.kind), extra.target)))


def _begun(titles: Iterable[Title], picture: Picture) -> set[int]:
    """Shows of which something was seen, on Trakt or on the list: its plays may be on their way in this very run."""
    seen = {show for show, _, _ in picture.episodes}
    return seen | {
        title.trakt_id
        for title in titles
        if title.kind == "show" and title.trakt_id is not None and (title.entry.progress or title.entry.status in RATED)
    }


def shows_in_question(titles: Sequence[Title], picture: Picture, rules: ExtraRules) -> set[int]:
    """Trakt ids of shows whose seasons decide something here."""
    begun = _begun(titles, picture)
    return {
        title.placement.trakt_id
        for title in titles
        if title.placement is not None
        and title.placement.kind == "show"
        and (
            ("rating" in rules.kinds and _may_rate(title, rules))
            or ("watchlist" in rules.kinds and _may_watch(title, rules) and title.placement.trakt_id in begun)
        )
    }


def decide(wanted_: Sequence[Extra], ledger: Mapping[tuple[ExtraKind, Target], Sent], existing: Existing) -> Decided:
    """What of it is new. What the ledger has sent counts as there, whatever a reading shows: reads lag writes."""
    new: list[Extra] = []
    already: list[Extra] = []
    different: list[Extra] = []
    held: list[Extra] = []
    for extra in wanted_:
        row = ledger.get(extra.key)
        there = existing.get(extra.kind, {})
        if row is not None and not row.is_open:
            (held if row.state in HELD_STATES else already).append(extra)
        elif extra.target in there:
            same = extra.kind != "rating" or there[extra.target] == extra.value
            (already if same else different).append(extra)
        elif extra.kind == "watchlist" and Target("show", extra.target.trakt_id) in there:
            already.append(extra)  # the whole show is there
        else:
            new.append(extra)
    return Decided(tuple(new), tuple(already), tuple(different), tuple(held))


def _allowed(title: Title, rules: ExtraRules) -> bool:
    entry = title.entry
    if title.choice is not None or (entry.private and not rules.send_private):
        return False
    return rules.filters.leaves_out(entry) is None


def _moment(title: Title, rules: ExtraRules) -> datetime | None:
    return last_moment(title.entry, rules.zone, rules.now)


def _may_rate(title: Title, rules: ExtraRules) -> bool:
    status = title.entry.status
    return (
        rating_of(title.entry.score) > 0
        and status in RATED
        and status in rules.statuses
        and _allowed(title, rules)
        and not rules.filters.too_old(_moment(title, rules), rules.zone)
    )


def _rating(title: Title, shapes: Mapping[int, Shape], rules: ExtraRules) -> Extra | None:
    if not _may_rate(title, rules):
        return None
    target = unit_of(title, shapes)
    if target is None:
        return None
    return Extra("rating", target, title.entry.anilist_id, rating_of(title.entry.score), _moment(title, rules))


def _may_watch(title: Title, rules: ExtraRules) -> bool:
    return title.entry.status == "PLANNING" and title.trakt_id is not None and _allowed(title, rules)


def _planned(
    title: Title, shapes: Mapping[int, Shape], picture: Picture, begun: Collection[int], rules: ExtraRules
) -> Extra | None:
    if not _may_watch(title, rules) or title.trakt_id is None:
        return None
    target: Target | None
    if title.kind == "movie":
        target = None if title.trakt_id in picture.movies else Target("movie", title.trakt_id)
    elif title.trakt_id not in begun:
        target = Target("show", title.trakt_id)
    else:
        target = unit_of(title, shapes)
        if target is None or target.kind != "season" or _seen(target, picture):
            return None
    return None if target is None else Extra("watchlist", target, title.entry.anilist_id)


def _seen(season: Target, picture: Picture) -> bool:
    return any((show, number) == (season.trakt_id, season.season) for show, number, _ in picture.episodes)


def _dropped(titles: Sequence[Title], rules: ExtraRules) -> Iterable[Extra | None]:
    by_show: dict[int, list[Title]] = {}
    for title in titles:
        if title.kind == "show" and title.trakt_id is not None:
            by_show.setdefault(title.trakt_id, []).append(title)
    for trakt_id, some in by_show.items():
        regular = [title for title in some if title.entry.media.format not in ASIDE] or some
        last = max(regular, key=_begins)
        if last.entry.status != "DROPPED" or any(title.entry.status in GOES_ON for title in some):
            continue
        if _allowed(last, rules) and not rules.filters.too_old(_moment(last, rules), rules.zone):
            yield Extra("dropped", Target("show", trakt_id), last.entry.anilist_id)


def _begins(title: Title) -> tuple[int, int, int, int]:
    start = title.entry.media.start_date
    return start.year or 9999, start.month or 12, start.day or 31, title.entry.anilist_id


def _agreeing(extras: Iterable[Extra | None]) -> list[Extra]:
    """Each target once, for the title with the lowest id; none where two titles would rate it differently."""
    found: dict[Target, list[Extra]] = {}
    for extra in extras:
        if extra is not None:
            found.setdefault(extra.target, []).append(extra)
    return [
        min(some, key=lambda extra: extra.anilist_id)
        for some in found.values()
        if len({extra.value for extra in some}) == 1
    ]
