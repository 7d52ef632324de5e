"""Keeps the mapping caches and subscribed lists fresh: conditional download, validation, replacement in one transaction.

A file that cannot be used leaves the rows at hand in place; `mapping_sources.last_error` says why in one sentence, and
`last_said` how it was made.
"""

from __future__ import annotations

import logging
import os
import secrets
import shutil
import socket
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Protocol

from flask import current_app
from sqlalchemy import select, update

from jobs import transport
from jobs.cache_shelves import Source, list_names, source_named
from jobs.cache_store import (
    Fetched,
    TooFewRows,
    changed_rows,
    compare,
    keep_reference_keys,
    refuse_loss,
    replace,
    stage,
)
from jobs.errors import LostClaim, TsuzukiError
from jobs.mapping.datasets import DATASETS, PARSER_VERSION, SOURCES
from jobs.said import Said, made_again, parts_of, said
from webapp.config import Config
from webapp.database import transaction, upsert
from webapp.models import Lease, MappingSource, utcnow

__all__ = ["SOURCES", "SourceState", "due_lists", "due_sources", "empty_sources", "refresh", "refresh_list", "refresh_source"]  # fmt: skip

log = logging.getLogger(__name__)

DOWNLOAD_SECONDS = 180.0  # total deadline of one try
LEASE = timedelta(minutes=10)  # renewed before the rows are read; longer than anything that may lie between
WAIT_SECONDS = 120.0  # how long a run waits for a refresh that somebody else has begun
RETRY_FULL = timedelta(minutes=30)  # after a failure, when there are rows
RETRY_EMPTY = timedelta(minutes=2)  # after a failure, when there are none


class Downloader(Protocol):
    """What fetches a file; `jobs.transport.download` is one."""

    def __call__(
        self,
        url: str,
        *,
        path: Path,
        etag: str | None,
        last_modified: str | None,
        deadline: float,
        max_bytes: int,
        service: str,
        agent: str,
        retries: int,
        public_only: bool,
    ) -> transport.Download:
        """Fetch into `path`, or say 304; `public_only`: never from inside. Raises `jobs.errors` types."""


@dataclass(frozen=True, slots=True)
class SourceState:
    """How a cache stands after a refresh; `error` is the sentence when the refresh could not be used."""

    name: str
    rows_kept: int
    last_sync: datetime | None
    last_full_sync: datetime | None
    last_activity: datetime | None
    error: Said | None
    changed: bool = False  # rows were replaced just now
    busy: bool = False  # somebody else is at it


def refresh_source(source_number: int) -> None:
    """The job on the queue `refresh`: 1 Otaku, 2 Fribbs, 3 Anime-Lists. Needs an application context."""
    refresh(SOURCES[source_number], wait_seconds=0.0)


def refresh_list(list_id: int) -> None:
    """The job on the queue `refresh` for one subscribed list. Needs an application context."""
    refresh(f"list:{list_id}", wait_seconds=0.0)


def refresh(
    name: str,
    *,
    download: Downloader = transport.download,
    accept_loss: bool = False,
    wait_seconds: float = WAIT_SECONDS,
    sleep: Callable[[float], None] = time.sleep,
) -> SourceState:
    """Refresh one cache now. Two never do it at once: the second waits up to `wait_seconds` and takes the result.

    `accept_loss` takes a file with more than 5 % fewer rows. Never raises for what the address answered: see
    `SourceState.error`.
    """
    source = source_named(name)
    if source is None:
        return SourceState(name, 0, None, None, None, said("Nobody subscribes to this list any more."))
    began = utcnow()
    _ensure_rows(source)
    holder = f"{socket.gethostname()}:{os.getpid()}:{secrets.token_hex(4)}"
    deadline = time.monotonic() + wait_seconds
    while not _take(name, holder):
        if time.monotonic() >= deadline:
            return _state(name, busy=True)
        sleep(0.5)
    try:
        if _attempted_since(name, began):
            return _state(name)
        return _refresh(source, holder, download, accept_loss=accept_loss)
    finally:
        _give_back(name, holder)


def empty_sources() -> list[str]:
    """Names of the caches that hold no rows yet."""
    return [name for name in DATASETS if (source := source_named(name)) is not None and source.shelf.count() == 0]


def due_sources(now: datetime) -> list[int]:
    """Numbers of the caches that are to be refreshed at `now` (aware): older than `CACHE_MAX_AGE_HOURS`, or empty.

    After a failure the next try is half an hour away (two minutes when the cache is empty); one that is being
    refreshed is not due.
    """
    due = _due(DATASETS, now)
    return [dataset.number for dataset in DATASETS.values() if dataset.name in due]


def due_lists(now: datetime) -> list[int]:
    """Ids of the subscribed lists that are to be refreshed at `now` (aware), by the same rules."""
    return [int(name.removeprefix("list:")) for name in _due(list_names(), now)]


def _due(names: Iterable[str], now: datetime) -> list[str]:
    max_age = timedelta(hours=_config().CACHE_MAX_AGE_HOURS)
    with transaction(readonly=True) as session:
        rows = session.scalars(select(MappingSource).execution_options(populate_existing=True))
        sources = {source.name: source for source in rows}
        busy = set(session.scalars(select(Lease.name).where(Lease.until > now)))
    return [name for name in names if f"cache:{name}" not in busy and _is_due(sources.get(name), now, max_age)]


def _is_due(source: MappingSource | None, now: datetime, max_age: timedelta) -> bool:
    if source is None or source.last_attempt is None:
        return True
    if source.last_error is not None:
        return now - source.last_attempt >= (RETRY_FULL if source.rows_kept else RETRY_EMPTY)
    return source.last_sync is None or now - source.last_sync >= max_age


def _refresh(source: Source, holder: str, download: Downloader, *, accept_loss: bool) -> SourceState:
    """Everything between taking and giving back the lease."""
    config = _config()
    try:
        with _work_folder(config) as folder:
            before = _source(source.name)
            at_hand = source.shelf.count()
            # only a file that stands in the table, read by this parser, from this address, may be skipped
            known = at_hand == before.rows_kept > 0 and before.url == source.url and before.parsed_as == PARSER_VERSION
            got = download(
                source.url,
                path=folder / "file",
                etag=before.etag if known else None,
                last_modified=before.last_modified if known else None,
                deadline=DOWNLOAD_SECONDS,
                max_bytes=source.max_bytes,
                service=source.title,
                agent=transport.user_agent(config.PUBLIC_URL),
                retries=config.SYNC_MAX_RETRIES,
                public_only=source.public_only,
            )
            if got.status == 304:
                _record_unchanged(source.name)
                return _state(source.name)
            if not _renew(source.name, holder):
                raise LostClaim(f"another worker refreshes {source.title}")
            staged = stage(source, folder / "file", folder)
            if not accept_loss:
                refuse_loss(staged, at_hand, before.accepted_rows)
            changes = compare(source, staged)
            fetched = Fetched(source.url, got.etag, got.last_modified, _http_time(got.last_modified))
            replace(source, staged, changes, fetched, holder=holder, at=utcnow())
    except LostClaim:
        return _state(source.name, busy=True)
    except (TsuzukiError, OSError) as error:
        _record_failure(source, _why(error), held_rows=error.rows_kept if isinstance(error, TooFewRows) else None)
        return _state(source.name)
    log.info("%s: %s of %s rows kept, %s changed", source.title, f"{staged.rows_kept:,}", f"{staged.rows_in_file:,}", f"{changes.count:,}")  # fmt: skip
    return _state(source.name, changed=True)


def _why(error: TsuzukiError | OSError) -> Said:
    if isinstance(error, OSError):
        return said("The file could not be stored: %(why)s.", why=error.strerror or type(error).__name__)
    return error.detail if error.detail.endswith(".") else said("%(sentence)s.", sentence=error.detail)


def _config() -> Config:
    config: Config = current_app.config["TSUZUKI"]
    return config


@contextmanager
def _work_folder(config: Config) -> Iterator[Path]:
    """A folder of our own in `DATA_DIR`, gone afterwards; what a killed worker left there for a day goes too."""
    root = config.data_dir / "downloads"
    root.mkdir(parents=True, exist_ok=True)
    for old in root.iterdir():
        if old.stat().st_mtime < time.time() - 86_400:
            shutil.rmtree(old, ignore_errors=True)
    with tempfile.TemporaryDirectory(dir=root) as folder:
        yield Path(folder)


def _http_time(value: str | None) -> datetime | None:
    try:
        return parsedate_to_datetime(value).astimezone(UTC) if value else None
    except ValueError:
        return None


# The rows of mapping_sources


def _ensure_rows(source: Source) -> None:
    """The source's row and its lease exist from the first look on."""
    row = upsert(MappingSource).values(name=source.name, url=source.url)
    lease = upsert(Lease).values(name=f"cache:{source.name}", holder="", until=datetime(2000, 1, 1, tzinfo=UTC))
    with transaction() as session:
        session.execute(row.on_conflict_do_nothing())
        session.execute(lease.on_conflict_do_nothing())


def _source(name: str) -> MappingSource:
    with transaction(readonly=True) as session:
        source: MappingSource = session.get_one(MappingSource, name, populate_existing=True)
    return source


def _state(name: str, *, changed: bool = False, busy: bool = False) -> SourceState:
    source = _source(name)
    return SourceState(
        name=name,
        rows_kept=source.rows_kept,
        last_sync=source.last_sync,
        last_full_sync=source.last_full_sync,
        last_activity=source.last_activity,
        error=None if source.last_error is None else made_again(source.last_said, source.last_error),
        changed=changed,
        busy=busy,
    )


def _attempted_since(name: str, moment: datetime) -> bool:
    attempt = _source(name).last_attempt
    return attempt is not None and attempt >= moment


def _record_unchanged(name: str) -> None:
    now = utcnow()
    values = {"last_sync": now, "last_attempt": now, "last_error": None, "last_said": None, "held_rows": None, "accepted_rows": None}  # fmt: skip
    with transaction() as session:
        session.execute(update(MappingSource).where(MappingSource.name == name).values(values))
        keep_reference_keys(session, name)


def _record_failure(source: Source, why: Said, *, held_rows: int | None) -> None:
    sentence = said("%(why)s The rows from before stay in use.", why=why) if source.shelf.count() else why
    log.warning("%s: %s", source.title, sentence)
    values = {
        "last_attempt": utcnow(),
        "last_error": str(sentence),
        "last_said": parts_of(sentence),
        "held_rows": held_rows,
    }
    with transaction() as session:
        session.execute(update(MappingSource).where(MappingSource.name == source.name).values(values))


# The lease


def _take(name: str, holder: str) -> bool:
    now = utcnow()
    free = (Lease.name == f"cache:{name}", Lease.until <= now)
    with transaction() as session:
        return changed_rows(session, update(Lease).where(*free).values(holder=holder, until=now + LEASE)) == 1


def _renew(name: str, holder: str) -> bool:
    mine = (Lease.name == f"cache:{name}", Lease.holder == holder)
    with transaction() as session:
        return changed_rows(session, update(Lease).where(*mine).values(until=utcnow() + LEASE)) == 1


def _give_back(name: str, holder: str) -> None:
    mine = (Lease.name == f"cache:{name}", Lease.holder == holder)
    with transaction() as session:
        session.execute(update(Lease).where(*mine).values(until=utcnow()))
