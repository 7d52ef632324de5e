"""The numbers of the first preview: what has an exact place, what waits, and what counting from S1E1 would get wrong.

Pure: it talks to nothing. The result is kept with the preview, and its page draws it (`webapp.report`).
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from jobs.planner import AccountRules, place_of, wanted_of
from jobs.records import ListEntry, Pile, Placement, Refusal, Shape

CASES: Final = 10
LEFT_OUT: Final = frozenset({"never", "scrobbler", "ignored"})
WAITS: Final = {Pile.WAITING: "waiting", Pile.NEEDS_YOU: "asking", Pile.NO_MATCH: "unmatched"}


@dataclass(frozen=True, slots=True)
class _Case:
    """A title that counting from S1E1 puts at wrong places."""

    anilist_id: int
    trakt_id: int
    watched: int
    wrong: int
    seasons: Collection[int]

    @property
    def clarity(self) -> tuple[bool, bool, int, int]:
        """Whole, in one regular season, with many episodes: such a case needs no words."""
        return (
            self.wrong == self.watched,
            len(self.seasons) == 1 and 0 not in self.seasons,
            self.wrong,
            -self.anilist_id,
        )


def report(
    entries: Iterable[ListEntry],
    placements: Mapping[int, Placement | Refusal],
    rules: AccountRules,
    shapes: Mapping[int, Shape],
) -> dict[str, Any]:
    """{"episodes", "movies": with a place; "waiting", "asking", "unmatched": episodes without one, by who acts; "notOnTrakt": titles;
    "wrong": episodes; "cases": [{"anilistId", "watched", "wrong"}]}, at most ten, one of a show, none that is private or adult.
    """
    numbers = dict.fromkeys(("episodes", "movies", *WAITS.values(), "notOnTrakt", "wrong"), 0)
    cases: list[_Case] = []
    for entry in entries:
        wanted = wanted_of(entry, "full", rules.statuses)
        placement = placements.get(entry.anilist_id)
        if wanted is None or placement is None or _is_left_out(entry, rules):
            continue
        if isinstance(placement, Refusal):
            numbers[WAITS.get(placement.pile, "unmatched")] += wanted.last
            numbers["notOnTrakt"] += placement.pile is Pile.NO_MATCH
            continue
        if placement.kind == "movie":
            numbers["movies"] += 1
            continue
        wrong = _count(placement, wanted.last, numbers, shapes)
        if wrong and not (entry.private or entry.hidden or entry.media.is_adult):
            seasons = {span.season for span in placement.spans if span.first <= wanted.last}
            cases.append(_Case(entry.anilist_id, placement.trakt_id, wanted.last, wrong, seasons))
    return {**numbers, "cases": [{"anilistId": case.anilist_id, "watched": case.watched, "wrong": case.wrong} for case in _clearest(cases)]}  # fmt: skip


def _is_left_out(entry: ListEntry, rules: AccountRules) -> bool:
    return rules.choices.get(entry.anilist_id) in LEFT_OUT or (entry.private and not rules.send_private)


def _count(placement: Placement, watched: int, numbers: dict[str, int], shapes: Mapping[int, Shape]) -> int:
    """Add the watched episodes to the numbers; how many of them counting from the show's first episode gets wrong."""
    counted: list[tuple[int, int]] | None = None
    wrong = 0
    for episode in range(1, watched + 1):
        place = place_of(placement, episode)
        if place is None:
            pile = next((part.pile for part in placement.open if part.first <= episode <= part.last), Pile.WAITING)
            numbers[WAITS.get(pile, "waiting")] += 1
            continue
        numbers["episodes"] += 1
        if place[2:] == (1, episode):
            continue  # the show's first season has it at this very number
        if counted is None:
            counted = _in_order(shapes.get(placement.trakt_id))
        wrong += place[2:] != (counted[episode - 1] if episode <= len(counted) else (1, episode))
    numbers["wrong"] += wrong
    return wrong


def _in_order(shape: Shape | None) -> list[tuple[int, int]]:
    return [(season, slot.number) for season, slot in shape.regular()] if shape else []


def _clearest(cases: Iterable[_Case]) -> list[_Case]:
    """One for each show."""
    found: dict[int, _Case] = {}
    for case in sorted(cases, key=lambda case: case.clarity, reverse=True):
        found.setdefault(case.trakt_id, case)
    return list(found.values())[:CASES]
