"""Puts a parsed data set into its table: read to the end first, then swapped in one short transaction.

Parsing writes rows to a staging file, so memory stays flat and the database is locked for the swap alone.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, fields
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy import Delete, Table, delete, func, insert, select, update

from jobs.errors import LostClaim
from jobs.mapping.datasets import PARSER_VERSION, Dataset
from jobs.mapping.rows import AnidbRow, AnidbRule, IdRow
from jobs.mapping.values import UnusableFile
from webapp.database import transaction
from webapp.extensions import db
from webapp.models import AnidbMap, AnimeId, Lease, MappingSource, SystemConfig

KEEP_SHARE = 0.95  # a file with fewer usable rows than this share of the last one is held back
_BATCH = 1000
_ID_FIELDS = tuple(field.name for field in fields(IdRow))
_ANIDB_FIELDS = tuple(field.name for field in fields(AnidbRow))


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


def stage(dataset: Dataset, file: Path, folder: Path) -> Staged:
    """Read the whole file into a staging file in `folder`. Raises `UnusableFile`."""
    path = folder / f"{dataset.name}.rows"
    rows = kept = 0
    seen: set[int] = set()
    double: set[int] = set()
    with path.open("w", encoding="utf-8") as staging:
        for row in dataset.read(file):
            rows += 1
            if row is None:
                continue
            key = row.anilist_id if isinstance(row, IdRow) else row.anidb_id
            if key is not None and key in seen:
                double.add(key)
                if isinstance(row, AnidbRow):  # one row per AniDB id: the first one stays
                    continue
            elif key is not None:
                seen.add(key)
            kept += 1
            staging.write(json.dumps(_columns(row), separators=(",", ":")) + "\n")
    if not rows:
        raise UnusableFile("The file is an empty list.")
    if not kept:
        raise UnusableFile(f"None of the {rows:,} rows of the file has an id that can be used.")
    return Staged(path, rows, kept, len(double), dataset.last_activity(file))


def refuse_loss(staged: Staged, rows_before: int) -> None:
    """Raises `UnusableFile` when more than 5 % of the usable rows would be lost."""
    if staged.rows_kept < rows_before * KEEP_SHARE:
        share = 100 * (1 - staged.rows_kept / rows_before)
        raise UnusableFile(
            f"The new file has {staged.rows_kept:,} usable rows, {share:.0f} % fewer than the {rows_before:,} at hand."
        )


def replace(dataset: Dataset, staged: Staged, fetched: Fetched, *, holder: str, at: datetime) -> None:
    """Swap all rows of the data set, with its numbers and the reference keys, in one transaction.

    Raises `LostClaim` when the lease went to someone else meanwhile; nothing has changed then.
    """
    with transaction() as session:
        held = update(Lease).where(Lease.name == f"cache:{dataset.name}", Lease.holder == holder).values(holder=holder)
        if changed_rows(session, held) != 1:
            raise LostClaim(f"another worker refreshes {dataset.title}")
        session.execute(_all_rows(dataset))
        for batch in _batches(staged.path):
            session.execute(insert(_table(dataset)), batch)
        session.execute(
            update(MappingSource)
            .where(MappingSource.name == dataset.name)
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
                last_activity=staged.last_activity or fetched.changed_at or at,
            )
        )
        keep_reference_keys(session, dataset.name)


def keep_reference_keys(session: Any, name: str) -> None:
    """Write `status:<name>:last-sync` and `:last-activity`, the instance's rows of `system_config`, from the source."""
    source = session.get(MappingSource, name, populate_existing=True)
    for key, value in (("last-sync", source.last_sync), ("last-activity", source.last_activity)):
        if value is None:
            continue
        where = (SystemConfig.user_id.is_(None), SystemConfig.key == f"status:{name}:{key}")
        text = value.isoformat(timespec="milliseconds").replace("+00:00", "Z")
        if not changed_rows(session, update(SystemConfig).where(*where).values(value=text)):
            session.add(SystemConfig(user_id=None, key=f"status:{name}:{key}", value=text))


def rows_at_hand(dataset: Dataset) -> int:
    """How many rows the table really holds, whatever `mapping_sources` says."""
    query = select(func.count()).select_from(_table(dataset))
    if dataset.name != "anime_lists":
        query = query.where(AnimeId.source == dataset.name)
    with transaction(readonly=True) as session:
        return session.scalar(query) or 0


def changed_rows(session: Any, statement: Any) -> int:
    """How many rows an UPDATE changed; the ORM's loaded objects are not looked at."""
    return int(session.execute(statement, execution_options={"synchronize_session": False}).rowcount)


def _table(dataset: Dataset) -> Table:
    name = AnidbMap.__tablename__ if dataset.name == "anime_lists" else AnimeId.__tablename__
    return db.metadata.tables[name]


def _all_rows(dataset: Dataset) -> Delete:
    table = _table(dataset)
    return delete(table) if dataset.name == "anime_lists" else delete(table).where(table.c.source == dataset.name)


def _columns(row: IdRow | AnidbRow) -> dict[str, Any]:
    if isinstance(row, IdRow):
        return {name: getattr(row, name) for name in _ID_FIELDS}
    columns = {name: getattr(row, name) for name in _ANIDB_FIELDS}
    columns["rules"] = [AnidbRule.to_json(rule) for rule in row.rules]
    return columns


def _batches(path: Path) -> Iterator[list[dict[str, Any]]]:
    batch: list[dict[str, Any]] = []
    with path.open(encoding="utf-8") as staging:
        for line in staging:
            batch.append(json.loads(line))
            if len(batch) == _BATCH:
                yield batch
                batch = []
    if batch:
        yield batch
