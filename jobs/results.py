"""What a run says at its end: the reference app's fields, counted from the plan and the ledger (DESIGN 9)."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import Any

from sqlalchemy import func, select

from jobs.ledger import Counts
from jobs.planner import wanted_of
from jobs.records import ItemOutcome, ListEntry, Placement, Plan, Refusal
from jobs.said import Said, counted, said
from webapp.database import transaction
from webapp.models import PlayRow

UNMAPPED = frozenset({"needs_you", "no_match", "waiting", "refused", "misplaced"})
NEEDS_YOU = frozenset({"needs_you", "refused", "misplaced"})


def batches_of(run_id: int) -> int:
    """How many requests with plays a run has sent."""
    with transaction(readonly=True) as session:
        found = session.scalar(select(func.count(PlayRow.batch.distinct())).where(PlayRow.run_id == run_id))
    return int(found or 0)


def result_of(
    mode: str,
    plan: Plan,
    entries: Collection[ListEntry],
    placements: Mapping[int, Placement | Refusal],
    statuses: Collection[str],
    sent: Counts,
    before: Counts,
    batches: int,
) -> dict[str, Any]:
    """The fields of a finished run or preview. `before`: what this run had sent before its present attempt.

    full and title count episodes, completed and watching count entries; `synced` and `added` are confirmed plays.
    """
    review = sum(needs_person(item) for item in plan.items)
    common = {"message": message(sent), "synced": sent.sent, "review": review}
    if mode in ("completed", "watching"):
        with_items = {item.anilist_id for item in plan.items}
        return common | {
            "found": plan.found,
            "alreadySyncedShows": plan.already_entries
            - sum(row.sent > 0 for i, row in before.by_entry.items() if i not in with_items),
            "addedEpisodes": sent.episodes,
            "addedMovies": sent.movies,
            "batches": batches,
            "skippedUnmapped": sum(item.outcome in UNMAPPED for item in plan.items),
        }
    found, already, skipped = _episodes(mode, plan, entries, placements, statuses)
    return common | {
        "found": found,
        "alreadySynced": max(already - before.sent, 0),
        "skippedUnmapped": skipped,
        "added": {"episodes": sent.episodes, "movies": sent.movies},
        "entries": plan.found,
        "entriesAlready": plan.already_entries,
    }


def of_plan(
    mode: str,
    plan: Plan,
    entries: Collection[ListEntry],
    placements: Mapping[int, Placement | Refusal],
    statuses: Collection[str],
) -> dict[str, Any]:
    """The same fields for a run that has sent nothing yet, and `plays`: what it would send."""
    movies = sum(play.kind == "movie" for play in plan.plays)
    episodes = len(plan.plays) - movies
    result = result_of(mode, plan, entries, placements, statuses, Counts(), Counts(), 0)
    named = _numbers(episodes, movies)
    result["message"] = f"{named} would be added." if named else "Nothing new."
    titles = len({play.anilist_id for play in plan.plays})
    return result | {"plays": {"episodes": episodes, "movies": movies, "titles": titles}}


def needs_person(item: ItemOutcome) -> bool:
    """Whether an item, or a part of it, lies in the pile that counts."""
    return item.outcome in NEEDS_YOU or any(part["outcome"] in NEEDS_YOU for part in item.detail.get("parts", ()))


def _episodes(
    mode: str,
    plan: Plan,
    entries: Iterable[ListEntry],
    placements: Mapping[int, Placement | Refusal],
    statuses: Collection[str],
) -> tuple[int, int, int]:
    """(watched, on Trakt already, without a place), in episodes; a movie is one."""
    items = {item.anilist_id: item for item in plan.items}
    found = already = skipped = 0
    for entry in entries:
        wanted = wanted_of(entry, mode, statuses)
        if wanted is None:
            continue
        item = items.get(entry.anilist_id)
        placement = placements.get(entry.anilist_id)
        movie = isinstance(placement, Placement) and placement.kind == "movie"
        total = item.wanted if item else 1 if movie else wanted.last
        found += total
        if item is None:
            already += total
            continue
        already += item.already
        if item.outcome in UNMAPPED or (item.outcome == "sent_in_part" and needs_person(item)):
            skipped += max(total - item.already - item.new, 0)
    return found, already, skipped


def message(sent: Counts) -> Said:
    """One sentence: "Added 37 episodes and 2 movies." """
    plays = _numbers(sent.episodes, sent.movies)
    return said("Added %(plays)s.", plays=plays) if plays else said("Nothing new.")


def _numbers(episodes: int, movies: int) -> str:
    parts = []
    if episodes:
        parts.append(counted("%(num)s episode", "%(num)s episodes", episodes))
    if movies:
        parts.append(counted("%(num)s movie", "%(num)s movies", movies))
    return (
        said("%(first)s and %(then)s", first=parts[0], then=parts[1]) if len(parts) == 2 else parts[0] if parts else ""
    )
