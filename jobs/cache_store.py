"""Puts a parsed file into its table: read to the end first, compared, then what changed is swapped in one transaction.

Parsing writes rows to a staging file and only changed rows are written, so memory stays flat and other writers of
the database wait for moments.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy import Select, Table, delete, insert, or_, select, update

from jobs.cache_diff import Difference, difference, fresh_lines
from jobs.cache_shelves import Shelf, Source
from jobs.errors import LostClaim
from jobs.mapping.datasets import PARSER_VERSION
from jobs.mapping.values import UnusableFile
from jobs.said import said
from webapp.database import transaction
from webapp.extensions import db
from webapp.models import AnidbMap, AnimeId, Entry, Lease, ListMapping, MappingSource, Media, SystemConfig

KEEP_SHARE = 0.95  # a file with fewer usable rows than this share of the last one is held back
MOST_ROWS = 500_000  # of one file; the largest had 42,000 in 2026
_BATCH = 1000
_IDS_AT_ONCE = 500


class TooFewRows(UnusableFile):
    """A good file that would lose more than 5 % of the rows at hand; `rows_kept` are its usable rows."""

    def __init__(self, message: str, rows_kept: int) -> None:
        super().__init__(message)
        self.rows_kept = rows_kept


@dataclass(frozen=True, slots=True)
class Staged:
    """A whole data set, read and counted, waiting beside the database."""

    path: Path  # one JSON object per line: the columns of a row
    rows_in_file: int
    rows_kept: int
    double_ids: int  # ids that several rows share
    last_activity: datetime | None


@dataclass(frozen=True, slots=True)
class Fetched:
    """What the download said of itself."""

    url: str
    etag: str | None
    last_modified: str | None
    changed_at: datetime | None  # the Last-Modified header as a time


def stage(source: Source, file: Path, folder: Path) -> Staged:
    """Read the whole file into a staging file in `folder`. Raises `UnusableFile`."""
    path = folder / "rows"
    rows = kept = 0
    seen: set[int] = set()
    double: set[int] = set()
    with path.open("w", encoding="utf-8") as staging:
        for row in source.read(file):
            rows += 1
            if rows > MOST_ROWS:
                raise UnusableFile(said("The file has more than %(most)s rows.", most=MOST_ROWS))
            if row is None:
                continue
            key = getattr(row, source.shelf.keys[0])
            if key is not None and key in seen:
                double.add(key)
                if source.shelf.unique:  # the first one stays
                    continue
            elif key is not None:
                seen.add(key)
            kept += 1
            staging.write(source.shelf.line(row) + "\n")
    if not rows:
        raise UnusableFile(said("The file is an empty list."))
    if not kept:
        raise UnusableFile(said("None of the %(rows)s rows of the file has an id that can be used.", rows=rows))
    return Staged(path, rows, kept, len(double), source.last_activity(file))


def refuse_loss(staged: Staged, rows_before: int, accepted: int | None = None) -> None:
    """Raises `TooFewRows` when more than 5 % of the usable rows would be lost.

    `accepted`: to so few rows somebody has agreed; a file with still fewer is held back again.
    """
    bar = rows_before if accepted is None else min(rows_before, accepted)
    if staged.rows_kept < bar * KEEP_SHARE:
        share = 100 * (1 - staged.rows_kept / rows_before)
        raise TooFewRows(
            said(
                "The new file has %(rows)s usable rows, %(share)s %% fewer than the %(before)s at hand.",
                rows=staged.rows_kept,
                share=round(share),
                before=rows_before,
            ),
            staged.rows_kept,
        )


def compare(source: Source, staged: Staged) -> Difference:
    """What of the staged rows is new, and which rows at hand go. Holds no lock that writers wait for."""
    with transaction(readonly=True):
        return difference(source.shelf.stored(), _staged(source.shelf, staged.path))


def _staged(shelf: Shelf, path: Path) -> Iterator[tuple[list[int], str]]:
    with path.open(encoding="utf-8") as staging:
        for line in staging:
            yield shelf.group(json.loads(line)), line


def replace(
    source: Source, staged: Staged, changes: Difference, fetched: Fetched, *, holder: str, at: datetime
) -> None:
    """Swap what changed, with the source's numbers and the reference keys, in one transaction.

    Raises `LostClaim` when the lease went to someone else meanwhile; nothing has changed then. Only the holder of
    the lease writes these rows, so `changes` still hold.
    """
    shelf = source.shelf
    with transaction() as session:
        held = update(Lease).where(Lease.name == f"cache:{source.name}", Lease.holder == holder).values(holder=holder)
        if changed_rows(session, held) != 1:
            raise LostClaim(f"another worker refreshes {source.title}")
        # what a first fill brings is looked at anyway, since nothing was placed before it
        again = shelf.model is ListMapping or bool(session.scalar(_filled(source.name)))
        for start in range(0, len(changes.gone), _IDS_AT_ONCE):
            gone = shelf.table.c[shelf.row_id].in_(changes.gone[start : start + _IDS_AT_ONCE])
            if again:
                columns = [shelf.table.c[name] for name in shelf.keys]
                _look_again(session, shelf, session.execute(select(*columns).where(gone)).mappings().all(), at)
            session.execute(delete(shelf.table).where(gone))
        for lines in fresh_lines(staged.path, changes.fresh, _BATCH):
            rows = shelf.values(lines)
            _insert(session, shelf.table, rows)
            for start in range(0, len(rows) if again else 0, _IDS_AT_ONCE):
                _look_again(session, shelf, rows[start : start + _IDS_AT_ONCE], at)
        session.execute(
            update(MappingSource)
            .where(MappingSource.name == source.name)
            .values(
                url=fetched.url,
                etag=fetched.etag,
                last_modified=fetched.last_modified,
                parsed_as=PARSER_VERSION,
                rows_in_file=staged.rows_in_file,
                rows_kept=staged.rows_kept,
                double_ids=staged.double_ids,
                last_sync=at,
                last_full_sync=at,
                last_attempt=at,
                last_error=None,
                last_said=None,
                held_rows=None,
                accepted_rows=None,
                last_activity=staged.last_activity or fetched.changed_at or at,
            )
        )
        keep_reference_keys(session, source.name)


def _filled(name: str) -> Select[Any]:
    return select(MappingSource.rows_kept).where(MappingSource.name == name, MappingSource.rows_kept > 0)


def _look_again(session: Any, shelf: Shelf, rows: Sequence[Any], at: datetime) -> None:
    """The next run looks at the titles of these changed rows again, whoever has them on the list, and at the others of their shows."""
    titles = _titles(shelf, rows)
    shows = select(Entry.trakt_id).where(Entry.anilist_id.in_(titles), Entry.trakt_id.is_not(None))
    concerned = or_(Entry.anilist_id.in_(titles), Entry.trakt_id.in_(shows))
    session.execute(
        update(Entry).where(concerned).values(changed_at=at), execution_options={"synchronize_session": False}
    )


def _titles(shelf: Shelf, rows: Sequence[Any]) -> Any:
    """A query for the AniList ids of these rows."""
    ids = {name: {row[name] for row in rows if row.get(name)} for name in ("anilist_id", "mal_id", "anidb_id")}
    if shelf.model is AnidbMap:
        return select(AnimeId.anilist_id).where(AnimeId.anidb_id.in_(ids["anidb_id"]), AnimeId.anilist_id.is_not(None))
    return select(Media.anilist_id).where(or_(Media.anilist_id.in_(ids["anilist_id"]), Media.mal_id.in_(ids["mal_id"])))


def _insert(session: Any, table: Table, rows: list[dict[str, Any]]) -> None:
    """On SQLite through the driver itself: a first fill of 30,000 rows then holds the lock a third as long."""
    if db.engine.dialect.name != "sqlite":
        session.execute(insert(table), rows)
        return
    names = list(rows[0])
    marks = ", ".join("?" * len(names))
    statement = f"INSERT INTO {table.name} ({', '.join(names)}) VALUES ({marks})"  # noqa: S608 - names of our own tables
    values = [tuple(json.dumps(v) if isinstance(v, list) else v for v in row.values()) for row in rows]
    session.connection().exec_driver_sql(statement, values)


def keep_reference_keys(session: Any, name: str) -> None:
    """Write `status:<name>:last-sync` and `:last-activity`, the instance's rows of `system_config`, from the source."""
    if name.startswith("list:"):
        return
    source = session.get(MappingSource, name, populate_existing=True)
    for key, value in (("last-sync", source.last_sync), ("last-activity", source.last_activity)):
        if value is None:
            continue
        where = (SystemConfig.user_id.is_(None), SystemConfig.key == f"status:{name}:{key}")
        text = value.isoformat(timespec="milliseconds").replace("+00:00", "Z")
        if not changed_rows(session, update(SystemConfig).where(*where).values(value=text)):
            session.add(SystemConfig(user_id=None, key=f"status:{name}:{key}", value=text))


def changed_rows(session: Any, statement: Any) -> int:
    """How many rows an UPDATE changed; the ORM's loaded objects are not looked at."""
    return int(session.execute(statement, execution_options={"synchronize_session": False}).rowcount)
