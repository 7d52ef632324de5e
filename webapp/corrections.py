"""What a person corrects: which show an entry is, where its episodes go. Every correction marks the entry as changed,
so that the next run looks at it again. Pages and the API share these writes.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import delete, or_, select, text, update

from webapp.database import transaction, upsert
from webapp.models import Entry, EntrySpan, EpisodeOverride, Mapping, Media, User, utcnow


class OverlappingSpans(ValueError):
    """Two spans claim the same episode of the entry."""


@dataclass(frozen=True, slots=True)
class SpanInput:
    """Episodes first..last of an entry (`last` None: to its end) go to `season` from `start` on."""

    first: int
    last: int | None
    season: int
    start: int


@dataclass(frozen=True, slots=True)
class MappingInput:
    """Which show or movie an entry is. `kind` None: what is known already, else what the entry's format says."""

    anilist_id: int
    trakt_id: int
    kind: str | None = None
    tmdb_id: int | None = None
    imdb_id: str | None = None
    tvdb_id: int | None = None


def check_spans(spans: Sequence[SpanInput]) -> list[SpanInput]:
    """In order of their first episode. Raises `OverlappingSpans`."""
    ordered = sorted(spans, key=lambda span: span.first)
    for one, other in itertools.pairwise(ordered):
        if one.last is None or one.last >= other.first:
            raise OverlappingSpans(f"episode {other.first} stands in two spans")
    return ordered


def save_mapping(user: User, given: MappingInput, spans: Sequence[SpanInput] | None = None) -> None:
    """Keep a manual mapping; `spans`, when given, replace all spans of the entry. Raises `OverlappingSpans`."""
    with transaction() as session:
        put_mapping(session, user, given, spans)


def put_mapping(session: Any, user: User, given: MappingInput, spans: Sequence[SpanInput] | None = None) -> None:
    """`save_mapping` inside the caller's transaction."""
    ordered = None if spans is None else check_spans(spans)
    values = {
        "kind": given.kind or _kind_of(session, given),
        "trakt_id": given.trakt_id,
        "tmdb_id": given.tmdb_id,
        "imdb_id": given.imdb_id,
        "tvdb_id": given.tvdb_id,
        "source": "manual",
        "reason": f"chosen by {user.username}",
        "updated_by": user.username,
        "updated_at": utcnow(),
    }
    row = upsert(Mapping).values(user_id=user.id, anilist_id=given.anilist_id, **values)
    session.execute(
        row.on_conflict_do_update(
            index_elements=["user_id", "anilist_id"], index_where=text("user_id IS NOT NULL"), set_=values
        )
    )
    if ordered is not None:
        session.execute(delete(EntrySpan).where(*_spans_of(user.id, given.anilist_id)))
        for span in ordered:
            _put_span(session, user.id, given.anilist_id, span)
    _mark(session, Entry.user_id == user.id, Entry.anilist_id == given.anilist_id)


def save_span(user: User, anilist_id: int, span: SpanInput) -> None:
    """Add one span, or replace the one that begins at the same episode. Raises `OverlappingSpans`."""
    with transaction() as session:
        rows = session.scalars(select(EntrySpan).where(*_spans_of(user.id, anilist_id))).all()
        others = [SpanInput(row.first, row.last, row.season, row.start) for row in rows if row.first != span.first]
        check_spans([*others, span])
        _put_span(session, user.id, anilist_id, span)
        _mark(session, Entry.user_id == user.id, Entry.anilist_id == anilist_id)


def delete_spans(user: User, anilist_id: int, first: int | None = None) -> int:
    """Remove the span that begins at `first`, or all of the entry; how many there were."""
    where = _spans_of(user.id, anilist_id)
    if first is not None:
        where.append(EntrySpan.first == first)
    with transaction() as session:
        removed = _removed(session, delete(EntrySpan).where(*where))
        if removed:
            _mark(session, Entry.user_id == user.id, Entry.anilist_id == anilist_id)
    return removed


def save_override(trakt_id: int, absolute: int, season: int, episode: int) -> None:
    """Write one row of the instance's `episode_override`; counts for everyone."""
    row = upsert(EpisodeOverride).values(trakt_id=trakt_id, abs=absolute, season=season, episode=episode)
    with transaction() as session:
        session.execute(
            row.on_conflict_do_update(
                index_elements=["trakt_id", "abs"],
                set_={"season": row.excluded.season, "episode": row.excluded.episode},
            )
        )
        _mark_show(session, trakt_id)


def delete_override(trakt_id: int, absolute: int) -> int:
    """Remove one row of the instance's `episode_override`; 1 when it was there."""
    with transaction() as session:
        removed = _removed(
            session,
            delete(EpisodeOverride).where(EpisodeOverride.trakt_id == trakt_id, EpisodeOverride.abs == absolute),
        )
        if removed:
            _mark_show(session, trakt_id)
    return removed


def _removed(session: Any, statement: Any) -> int:
    return int(session.execute(statement, execution_options={"synchronize_session": False}).rowcount)


def _kind_of(session: Any, given: MappingInput) -> str:
    known = session.scalar(
        select(Mapping.kind)
        .where(
            Mapping.anilist_id == given.anilist_id,
            Mapping.trakt_id == given.trakt_id,
            or_(Mapping.user_id.is_(None), Mapping.shared),
        )
        .limit(1)
    )
    if known:
        return str(known)
    media = session.get(Media, given.anilist_id)
    return "movie" if media is not None and media.format == "MOVIE" else "show"


def _put_span(session: Any, user_id: int, anilist_id: int, span: SpanInput) -> None:
    values = {"last": span.last, "season": span.season, "start": span.start, "updated_at": utcnow()}
    row = upsert(EntrySpan).values(user_id=user_id, anilist_id=anilist_id, first=span.first, **values)
    session.execute(row.on_conflict_do_update(index_elements=["user_id", "anilist_id", "first"], set_=values))


def _spans_of(user_id: int, anilist_id: int) -> list[Any]:
    return [EntrySpan.user_id == user_id, EntrySpan.anilist_id == anilist_id]


def _mark_show(session: Any, trakt_id: int) -> None:
    _mark(session, Entry.trakt_id == trakt_id, Entry.kind == "show")


def _mark(session: Any, *where: Any) -> None:
    session.execute(update(Entry).where(*where).values(changed_at=utcnow()))
