"""Needs you, one card for each title: its places as drawings with their evidence, its siblings, what would follow.

Reads what the whole page needs at once: the same few queries however many cards there are.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from webapp import queries
from webapp.bars import Drawing, draw
from webapp.decisions import candidate_key
from webapp.evidence import listed, said
from webapp.i18n import gettext as _
from webapp.models import Entry, PlayRow, TraktShow
from webapp.naming import title

Candidate = Mapping[str, Any]  # a `jobs.records.Candidate` as JSON
SIBLINGS: Final = 6  # offered together at most


@dataclass(frozen=True, slots=True)
class Sibling:
    """Another title of the show that offers a place by the same source."""

    entry: Entry
    place: Candidate

    @property
    def value(self) -> str:
        return f"{self.entry.anilist_id}/{value_of(self.place)}"


@dataclass(frozen=True, slots=True)
class Choice:
    """One place to choose. `show` names it where the choices lie on different shows."""

    place: Candidate
    show: TraktShow | None
    evidence: str
    drawing: Drawing | None
    siblings: Sequence[Sibling]

    @property
    def value(self) -> str:
        return value_of(self.place)


@dataclass(frozen=True, slots=True)
class Card:
    """One title. `placed`: where its known episodes go; `stands`: where plays of it are, when they are elsewhere."""

    entry: Entry
    show: TraktShow | None
    choices: Sequence[Choice]
    placed: Drawing | None
    stands: Mapping[str, Any] | None
    stands_drawing: Drawing | None
    moving: int  # plays that a move would bring to their new place
    missing: Sequence[tuple[int, int]]  # ranges of episodes that have no place


def value_of(place: Candidate) -> str:
    """ "show:70000:1-12:2:1": a place in one word, for a form."""
    return f"{place['kind']}:{place['trakt_id']}:{candidate_key(place.get('spans') or [])}"


def cards(user_id: int, entries: Sequence[Entry]) -> list[Card]:
    """Cards in the order of the entries. Three queries."""
    offered = [place for entry in entries for place in _offers(entry)]
    ids = {place["trakt_id"] for place in offered if place["kind"] == "show"}
    ids |= {entry.trakt_id for entry in entries if entry.kind == "show" and entry.trakt_id is not None}
    plays: dict[int, list[PlayRow]] = {}
    moved = [entry.anilist_id for entry in entries if entry.reason == "misplaced"]
    for play in queries.plays_standing(user_id, moved):
        plays.setdefault(play.anilist_id, []).append(play)
    ids |= {play.trakt_id for rows in plays.values() for play in rows if play.kind == "episode"}
    shows = queries.shows(ids)
    family = queries.same_shows(user_id, ids)
    return [_card(entry, shows, family, plays.get(entry.anilist_id, [])) for entry in entries]


def _offers(entry: Entry) -> list[Candidate]:
    return list((entry.placement or {}).get("candidates") or [])


def _card(entry: Entry, shows: Mapping[int, TraktShow], family: Sequence[Entry], plays: Sequence[PlayRow]) -> Card:
    offers = _offers(entry)
    several = len({(place["kind"], place["trakt_id"]) for place in offers}) > 1
    choices = [_choice(entry, place, shows, family, named=several) for place in offers]
    show = shows.get(entry.trakt_id or 0) if entry.kind == "show" else None
    placement = entry.placement or {}
    spans = placement.get("spans") or []
    placed = draw(show.seasons, spans, entry.progress, _taken(entry, entry.trakt_id, family)) if show else None
    stands = _stands(plays)
    there = shows.get(stands["trakt_id"]) if stands and stands["kind"] == "show" else None
    return Card(
        entry=entry,
        show=show,
        choices=choices,
        placed=placed,
        stands=stands,
        stands_drawing=draw(there.seasons, stands["spans"], entry.progress) if there and stands else None,
        moving=sum(not _is_at(play, placement) for play in plays),
        missing=[(part["first"], part["last"]) for part in placement.get("open") or [] if part["pile"] == "needs_you"],
    )


def _choice(
    entry: Entry, place: Candidate, shows: Mapping[int, TraktShow], family: Sequence[Entry], *, named: bool
) -> Choice:
    show = shows.get(place["trakt_id"]) if place["kind"] == "show" else None
    spans = place.get("spans") or []
    taken = _taken(entry, place["trakt_id"], family) if show else []
    return Choice(
        place=place,
        show=show if named else None,
        evidence=" ".join(
            part
            for part in (said(place), listed(show.seasons, spans) if show else "", _rival(entry, place, family))
            if part
        ),
        drawing=draw(show.seasons, spans, entry.progress, taken) if show else None,
        siblings=_siblings(entry, place, family),
    )


def _taken(entry: Entry, trakt_id: int | None, family: Iterable[Entry]) -> list[dict[str, int]]:
    """Where other titles of the person stand on this show."""
    return [
        span
        for other in family
        if other.anilist_id != entry.anilist_id and other.trakt_id == trakt_id and other.choice != "never"
        for span in (other.placement or {}).get("spans") or []
    ]


def _rival(entry: Entry, place: Candidate, family: Iterable[Entry]) -> str:
    """Who stands on episodes of this place already, as a sentence."""
    if place["kind"] != "show":
        return ""
    names = [
        title(other.media)
        for other in family
        if other.anilist_id != entry.anilist_id
        and other.trakt_id == place["trakt_id"]
        and other.pile == "placed"
        and other.choice != "never"
        and overlap(place, other.placement or {})
    ]
    if not names:
        return ""
    return _("%(title)s stands there already.", title=names[0]) if len(names) == 1 else _("%(title)s and others stand there already.", title=names[0])  # fmt: skip


def _siblings(entry: Entry, place: Candidate, family: Iterable[Entry]) -> list[Sibling]:
    """Titles of the same show that need the person too and have a place by the same source, none twice."""
    taken = [place]
    found: list[Sibling] = []
    for other in family:
        if other.anilist_id == entry.anilist_id or other.pile != "needs_you" or other.choice is not None:
            continue
        match = next(
            (
                one
                for one in _offers(other)
                if (one["kind"], one["trakt_id"], one["source"]) == (place["kind"], place["trakt_id"], place["source"])
                and one.get("spans")
                and not any(overlap(one, known) for known in taken)
            ),
            None,
        )
        if match is not None and len(found) < SIBLINGS:
            taken.append(match)
            found.append(Sibling(other, match))
    return found


def overlap(one: Candidate, other: Candidate) -> bool:
    """Whether two places of the same show claim an episode both."""
    return any(
        a["season"] == b["season"]
        and a["start"] <= b["start"] + b["to"] - b["from"]
        and b["start"] <= a["start"] + a["to"] - a["from"]
        for a in one.get("spans") or []
        for b in other.get("spans") or []
    )


def _stands(plays: Sequence[PlayRow]) -> dict[str, Any] | None:
    """Where plays are, as a place; None when they lie on several shows, or when there are none."""
    if len({(play.kind, play.trakt_id) for play in plays}) != 1:
        return None
    first = plays[0]
    if first.kind == "movie":
        return {"kind": "movie", "trakt_id": first.trakt_id, "spans": []}
    spans: list[dict[str, int]] = []
    for play in plays:
        last = spans[-1] if spans else None
        if last and play.episode == last["to"] + 1 and (play.season, play.number - last["start"]) == (last["season"], play.episode - last["from"]):  # fmt: skip
            last["to"] = play.episode
        elif not last or play.nth == 1:
            spans.append({"from": play.episode, "to": play.episode, "season": play.season, "start": play.number})
    return {"kind": "show", "trakt_id": first.trakt_id, "spans": spans}


def _is_at(play: PlayRow, placement: Mapping[str, Any]) -> bool:
    """Whether a play stands where its title's placement puts it now."""
    kind = "movie" if play.kind == "movie" else "show"
    if (kind, play.trakt_id) != (placement.get("kind"), placement.get("trakt_id")):
        return False
    return kind == "movie" or any(
        span["season"] == play.season and span["from"] <= play.episode <= span["to"] and span["start"] + play.episode - span["from"] == play.number
        for span in placement.get("spans") or []
    )  # fmt: skip
