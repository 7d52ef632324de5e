"""Corrections as files: what an import would do, doing it, and the export. The format: `jobs.mapping.correction_file`.

An import is looked at first, and writes in one transaction or not at all. Titles and spans are the person's own;
overrides count for everyone, so that only an administrator's import takes them.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from sqlalchemy import case, delete, func, or_, select, text, tuple_, update

from jobs.mapping.correction_file import OverrideRow, RefusedRow, Span, TitleRow, read, write
from jobs.said import said
from webapp.database import reading, transaction, upsert
from webapp.models import Entry, EntrySpan, EpisodeOverride, ImportDraft, Mapping, Media, User, utcnow

State = Literal["added", "changed", "same"]
PART = 200


class RefusedRows(ValueError):
    """The file has rows that cannot be taken, and nobody said to leave them out."""


@dataclass(frozen=True, slots=True)
class Change:
    """One row of the file against what stands. `name`: the title, or the Trakt show of an override."""

    row: TitleRow | OverrideRow
    state: State
    name: str
    kind: str = "show"

    @property
    def is_title(self) -> bool:
        return isinstance(self.row, TitleRow)


@dataclass(slots=True)
class Report:
    """What an import would do, or has done."""

    changes: list[Change] = field(default_factory=list)
    refused: list[RefusedRow] = field(default_factory=list)

    def count(self, state: State) -> int:
        return sum(change.state == state for change in self.changes)

    @property
    def to_write(self) -> list[Change]:
        return [change for change in self.changes if change.state != "same"]


def look(user: User, content: bytes) -> Report:
    """Compare a file with what this person has. Writes nothing. Raises `UnreadableText` for what is no such file."""
    report = Report()
    titles: list[TitleRow] = []
    overrides: list[OverrideRow] = []
    for row in read(content):
        if isinstance(row, RefusedRow):
            report.refused.append(row)
        elif isinstance(row, TitleRow):
            titles.append(row)
        elif user.is_admin:
            overrides.append(row)
        else:
            reason = said("overrides count for everyone: an administrator imports them")
            report.refused.append(RefusedRow(row.line, reason))
    for part in _parts(titles):
        report.changes.extend(_title_changes(user, part))
    for part in _parts(overrides):
        report.changes.extend(_override_changes(part))
    report.changes.sort(key=lambda change: change.row.line)
    report.refused.sort(key=lambda row: row.line)
    return report


def take(user: User, content: bytes, *, leave_out: bool = False) -> Report:
    """Write what `look` says, in one transaction. Raises `UnreadableText`, and `RefusedRows` unless `leave_out`."""
    report = look(user, content)
    if report.refused and not leave_out:
        raise RefusedRows(f"{len(report.refused)} rows cannot be taken")
    changed = report.to_write
    at = utcnow()
    with transaction() as session:
        for part in _parts(changed):
            _write_titles(session, user, [change for change in part if change.is_title], at)
            _write_overrides(session, [c.row for c in part if isinstance(c.row, OverrideRow)], at)
        session.execute(delete(ImportDraft).where(ImportDraft.user_id == user.id))
    return report


def _parts(rows: Sequence[Any]) -> Iterator[Sequence[Any]]:
    for start in range(0, len(rows), PART):
        yield rows[start : start + PART]


# Comparing


def _title_changes(user: User, rows: Sequence[TitleRow]) -> Iterator[Change]:
    ids = [row.anilist_id for row in rows]
    with reading() as session:
        named = select(Media.anilist_id, Media.title_romaji, Media.title_english, Media.format)
        media = {row.anilist_id: row for row in session.execute(named.where(Media.anilist_id.in_(ids)))}
        found = select(Mapping).where(Mapping.anilist_id.in_(ids)).execution_options(populate_existing=True)
        mine: dict[int, Mapping] = {}
        kinds: dict[tuple[int, int], str] = {}
        for mapping in session.scalars(found.where(or_(Mapping.user_id == user.id, Mapping.user_id.is_(None), Mapping.shared))):  # fmt: skip
            kinds[mapping.anilist_id, mapping.trakt_id] = mapping.kind
            if mapping.user_id == user.id:
                mine[mapping.anilist_id] = mapping
        spans = _spans_of(session, user, ids)
    for row in rows:
        about = media.get(row.anilist_id)
        kind = row.kind or kinds.get((row.anilist_id, row.trakt_id or 0))
        kind = kind or ("movie" if about and about.format == "MOVIE" and not row.spans else "show")
        stored = mine.get(row.anilist_id)
        same = _same_mapping(row, stored, kind) and row.spans in (None, spans.get(row.anilist_id, ()))
        new = stored is None if row.trakt_id else row.anilist_id not in spans
        name = ((about.title_romaji or about.title_english) if about else None) or f"AniList {row.anilist_id}"
        yield Change(row, "same" if same else "added" if new else "changed", name, kind)


def _same_mapping(row: TitleRow, stored: Mapping | None, kind: str) -> bool:
    if row.trakt_id is None:
        return True
    if stored is None or (stored.trakt_id, stored.kind) != (row.trakt_id, kind):
        return False
    given = ((row.tmdb_id, stored.tmdb_id), (row.imdb_id, stored.imdb_id), (row.tvdb_id, stored.tvdb_id))
    return all(new in (None, old) for new, old in given)


def _spans_of(session: Any, user: User, ids: Iterable[int] | None) -> dict[int, tuple[Span, ...]]:
    query = select(EntrySpan).where(EntrySpan.user_id == user.id).order_by(EntrySpan.anilist_id, EntrySpan.first)
    if ids is not None:
        query = query.where(EntrySpan.anilist_id.in_(ids))
    found: dict[int, tuple[Span, ...]] = {}
    for row in session.scalars(query.execution_options(populate_existing=True)):
        found[row.anilist_id] = (*found.get(row.anilist_id, ()), (row.first, row.last, row.season, row.start))
    return found


def _override_changes(rows: Sequence[OverrideRow]) -> Iterator[Change]:
    keys = [(row.trakt_id, row.abs) for row in rows]
    columns = (EpisodeOverride.trakt_id, EpisodeOverride.abs, EpisodeOverride.season, EpisodeOverride.episode)
    with reading() as session:
        where = tuple_(EpisodeOverride.trakt_id, EpisodeOverride.abs).in_(keys)
        stored = {(t, a): (season, episode) for t, a, season, episode in session.execute(select(*columns).where(where))}
    for row in rows:
        before = stored.get((row.trakt_id, row.abs))
        state: State = "added" if before is None else "same" if before == (row.season, row.episode) else "changed"
        yield Change(row, state, f"Trakt {row.trakt_id}, {row.abs}")


# Writing


def _write_titles(session: Any, user: User, changes: Sequence[Change], at: Any) -> None:
    rows = [(change, change.row) for change in changes if isinstance(change.row, TitleRow)]
    mapped = [
        {
            "user_id": user.id, "anilist_id": row.anilist_id, "kind": change.kind, "trakt_id": row.trakt_id,
            "tmdb_id": row.tmdb_id, "imdb_id": row.imdb_id, "tvdb_id": row.tvdb_id, "source": "manual",
            "reason": f"imported by {user.username}", "shared": False, "updated_by": user.username,
            "created_at": at, "updated_at": at,
        }
        for change, row in rows
        if row.trakt_id is not None
    ]  # fmt: skip
    if mapped:
        statement = upsert(Mapping).values(mapped)
        new = statement.excluded
        same_show = new.trakt_id == Mapping.trakt_id
        values = {name: new[name] for name in ("kind", "trakt_id", "source", "reason", "updated_by", "updated_at")}
        for name in ("tmdb_id", "imdb_id", "tvdb_id"):  # ids that the file leaves out stay, for the same show
            values[name] = _either(same_show, new[name], getattr(Mapping, name))
        session.execute(
            statement.on_conflict_do_update(
                index_elements=["user_id", "anilist_id"], index_where=text("user_id IS NOT NULL"), set_=values
            )
        )
    replaced = [row for _, row in rows if row.spans is not None]
    ids = [row.anilist_id for row in replaced]
    session.execute(delete(EntrySpan).where(EntrySpan.user_id == user.id, EntrySpan.anilist_id.in_(ids)))
    session.add_all(
        EntrySpan(user_id=user.id, anilist_id=row.anilist_id, first=first, last=last, season=season, start=start, updated_at=at)
        for row in replaced
        for first, last, season, start in row.spans or ()
    )  # fmt: skip
    session.flush()
    mine = (Entry.user_id == user.id, Entry.anilist_id.in_([row.anilist_id for _, row in rows]))
    session.execute(update(Entry).where(*mine).values(changed_at=at))


def _either(same_show: Any, given: Any, stored: Any) -> Any:
    return case((same_show, func.coalesce(given, stored)), else_=given)


def _write_overrides(session: Any, rows: Sequence[OverrideRow], at: Any) -> None:
    if not rows:
        return
    values = [{"trakt_id": r.trakt_id, "abs": r.abs, "season": r.season, "episode": r.episode} for r in rows]
    statement = upsert(EpisodeOverride).values(values)
    new = {"season": statement.excluded.season, "episode": statement.excluded.episode}
    session.execute(statement.on_conflict_do_update(index_elements=["trakt_id", "abs"], set_=new))
    shows = sorted({row.trakt_id for row in rows})
    session.execute(update(Entry).where(Entry.trakt_id.in_(shows), Entry.kind == "show").values(changed_at=at))


# Export


def export(user: User, form: str) -> str:
    """Everything that this person has corrected, and the overrides of the instance; `form` is yaml or json."""
    with reading() as session:
        mine = select(Mapping).where(Mapping.user_id == user.id).execution_options(populate_existing=True)
        stored = {row.anilist_id: row for row in session.scalars(mine)}
        spans = _spans_of(session, user, None)
        ids = sorted({*stored, *spans})
        titles: dict[int, str] = {}
        for part in _parts(ids):
            named = select(Media.anilist_id, Media.title_romaji, Media.title_english).where(Media.anilist_id.in_(part))
            titles.update((i, title) for i, romaji, english in session.execute(named) if (title := romaji or english))
        ordered = select(EpisodeOverride).order_by(EpisodeOverride.trakt_id, EpisodeOverride.abs)
        overrides = [
            {"traktId": row.trakt_id, "abs": row.abs, "season": row.season, "episode": row.episode}
            for row in session.scalars(ordered.execution_options(populate_existing=True))
        ]
    return write((_exported(i, titles.get(i), stored.get(i), spans.get(i, ())) for i in ids), overrides, form)


def _exported(anilist_id: int, title: str | None, stored: Mapping | None, spans: Sequence[Span]) -> dict[str, Any]:
    row: dict[str, Any] = {"anilistId": anilist_id}
    if title:
        row["title"] = title
    if stored:
        row |= {"kind": stored.kind, "traktId": stored.trakt_id}
        ids = {"tmdbId": stored.tmdb_id, "imdbId": stored.imdb_id, "tvdbId": stored.tvdb_id}
        row |= {name: value for name, value in ids.items() if value is not None}
    if spans and not (stored and stored.kind == "movie"):
        row["spans"] = [
            {"from": first} | ({} if last is None else {"to": last}) | {"season": season, "start": start}
            for first, last, season, start in spans
        ]
    return row


# A file that was looked at and not confirmed yet


def keep_draft(user: User, content: bytes) -> str:
    """Keep a readable file until it is confirmed; the word by which it is found. An earlier one is forgotten."""
    token = secrets.token_urlsafe(16)
    values = {"token": token, "content": content.decode(), "created_at": utcnow()}
    row = upsert(ImportDraft).values(user_id=user.id, **values)
    with transaction() as session:
        session.execute(row.on_conflict_do_update(index_elements=["user_id"], set_=values))
    return token


def draft(user: User, token: str) -> bytes | None:
    """The file of that word; None when it was confirmed, replaced or forgotten."""
    query = select(ImportDraft.content).where(ImportDraft.user_id == user.id, ImportDraft.token == token)
    with reading() as session:
        content = session.scalar(query)
    return None if content is None else content.encode()
