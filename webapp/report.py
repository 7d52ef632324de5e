"""The report of the first preview: a person's own numbers, and the clearest cases as drawings."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from webapp import bars, queries
from webapp.models import Entry, Run, TraktShow

REGULAR = 1  # the first season that counting from S1E1 fills


@dataclass(frozen=True)
class Case:
    """A title whose episodes stand elsewhere than a count from the show's first episode says. `wrong`: how many."""

    entry: Entry
    show: TraktShow
    watched: int
    wrong: int
    drawing: bars.Drawing | None


@dataclass(frozen=True)
class Report:
    """Numbers of episodes, but `movies` and `not_on_trakt` of titles. `waiting` is for Trakt to list, `asking` for the person to decide."""

    episodes: int
    movies: int
    waiting: int
    asking: int
    not_on_trakt: int
    wrong: int
    cases: Sequence[Case]

    @property
    def open(self) -> int:
        return self.waiting + self.asking


def report_of(run: Run) -> Report | None:
    """What the job `jobs.report` has kept with a preview; None for other runs. Two queries."""
    kept: Mapping[str, Any] | None = (run.result or {}).get("report")
    if not run.preview or not kept:
        return None
    return Report(
        episodes=int(kept["episodes"]),
        movies=int(kept["movies"]),
        waiting=int(kept["waiting"]),
        asking=int(kept["asking"]),
        not_on_trakt=int(kept["notOnTrakt"]),
        wrong=int(kept["wrong"]),
        cases=_cases(run.user_id, kept["cases"]),
    )


def _cases(user_id: int, kept: Sequence[Mapping[str, int]]) -> list[Case]:
    """In the order of the report. An entry that became private or lost its place since then is left out."""
    entries = queries.entries(user_id, [row["anilistId"] for row in kept])
    shows = queries.shows({entry.trakt_id for entry in entries.values() if entry.trakt_id is not None})
    found = []
    for row in kept:
        entry = entries.get(row["anilistId"])
        show = shows.get(entry.trakt_id or 0) if entry else None
        if entry is None or show is None or entry.private or entry.hidden or entry.kind != "show":
            continue
        spans = (entry.placement or {}).get("spans") or []
        mistaken = from_the_start(show.seasons or {}, row["watched"])
        drawing = bars.draw(show.seasons or {}, spans, row["watched"], wrong=mistaken)
        found.append(Case(entry, show, row["watched"], row["wrong"], drawing))
    return found


def from_the_start(seasons: bars.Seasons, watched: int) -> list[dict[str, int]]:
    """The first `watched` regular episodes of a show, as spans: where a tool that counts from S1E1 puts a title."""
    spans: list[dict[str, int]] = []
    left, episode = watched, 1
    for season in sorted(int(name) for name in seasons if int(name) >= REGULAR):
        numbers = [int(row[0]) for row in seasons[str(season)]][:left]
        for at, number in enumerate(numbers):
            if at and number == numbers[at - 1] + 1:
                spans[-1]["to"] += 1
            else:
                spans.append({"from": episode + at, "to": episode + at, "season": season, "start": number})
        left -= len(numbers)
        episode += len(numbers)
    return spans
