"""What a person's corrections say of some titles at one moment, as JSON; and how that is put back."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import Any

from sqlalchemy import delete, select, update

from webapp.models import Entry, EntrySpan, utcnow
from webapp.models import Mapping as MappingRow

PART = 500
_MAPPING = ("kind", "trakt_id", "tmdb_id", "imdb_id", "tvdb_id", "source", "reason", "shared", "updated_by")
_PLACE = ("pile", "reason", "kind", "trakt_id", "placement")

Snapshot = dict[
    str, Any
]  # {"mapping": {...} | None, "spans": [[first, last, season, start]], "choice": ..., "entry": {...}}


def take(session: Any, user_id: int, ids: Collection[int], *, places: bool = False) -> dict[int, Snapshot]:
    """By AniList id, for titles on the person's list. `places`: with where the entry stood and its candidates."""
    found: dict[int, Snapshot] = {}
    for part in parts(sorted(ids)):
        entries = session.scalars(
            select(Entry)
            .where(Entry.user_id == user_id, Entry.anilist_id.in_(part))
            .execution_options(populate_existing=True)
        )
        for entry in entries:
            found[entry.anilist_id] = {"mapping": None, "spans": [], "choice": entry.choice}
            if places:
                found[entry.anilist_id]["entry"] = {name: getattr(entry, name) for name in _PLACE}
        mappings = select(MappingRow).where(MappingRow.user_id == user_id, MappingRow.anilist_id.in_(part))
        for row in session.scalars(mappings.execution_options(populate_existing=True)):
            if row.anilist_id in found:
                found[row.anilist_id]["mapping"] = {name: getattr(row, name) for name in _MAPPING}
        spans = select(EntrySpan).where(EntrySpan.user_id == user_id, EntrySpan.anilist_id.in_(part))
        for span in session.scalars(spans.order_by(EntrySpan.first).execution_options(populate_existing=True)):
            if span.anilist_id in found:
                found[span.anilist_id]["spans"].append([span.first, span.last, span.season, span.start])
    return found


def same_place(one: Snapshot, other: Snapshot) -> bool:
    """Whether both name the same show or movie and the same spans."""
    return one["spans"] == other["spans"] and _identity(one["mapping"]) == _identity(other["mapping"])


def _identity(mapping: Mapping[str, Any] | None) -> tuple[Any, ...] | None:
    return (mapping["kind"], mapping["trakt_id"]) if mapping else None


def restore_place(session: Any, user_id: int, anilist_id: int, before: Snapshot) -> None:
    """Put mapping, spans and the list row's place back as they were; the next run looks at the title again."""
    for table in (MappingRow, EntrySpan):
        session.execute(delete(table).where(table.user_id == user_id, table.anilist_id == anilist_id))
    if before["mapping"]:
        session.add(MappingRow(user_id=user_id, anilist_id=anilist_id, **before["mapping"]))
    for first, last, season, start in before["spans"]:
        session.add(EntrySpan(user_id=user_id, anilist_id=anilist_id, first=first, last=last, season=season, start=start))  # fmt: skip
    session.execute(
        update(Entry)
        .where(Entry.user_id == user_id, Entry.anilist_id == anilist_id)
        .values(changed_at=utcnow(), **before.get("entry", {}))
    )


def parts(ids: list[int]) -> Iterable[list[int]]:
    return (ids[start : start + PART] for start in range(0, len(ids), PART))
