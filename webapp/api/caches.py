"""The three mapping caches: how they stand, and refreshing them."""

from __future__ import annotations

from typing import Any

from flask import Response, url_for
from pydantic import Field

from webapp import caches, enqueue
from webapp.api import reads
from webapp.api.commands import OpenBody, answer_open, wait_for
from webapp.api.fields import ApiError, Body, Command, ErrorBody, Flag, answer, iso
from webapp.api.guard import api_blueprint, person
from webapp.database import transaction
from webapp.models import MappingSource, utcnow

blueprint = api_blueprint("api_caches", answers={202: OpenBody, 403: ErrorBody, 502: ErrorBody, 503: ErrorBody})

NUMBERS = {name: number for number, name in enqueue.CACHES.items()}


class CacheCommand(Command):
    check: Flag = Field(False, description="1: only says how the cache stands")
    accept_loss: Flag = Field(
        False, description="1: takes the file that was held back with too few rows (administrators)"
    )


class CacheBody(Body):
    """After a refresh `success` is there too."""

    success: bool | None = None
    count: int = Field(description="Rows kept")
    last_sync: str | None
    last_activity: str | None = None
    last_full_sync: str | None = None
    rows_in_file: int = 0
    double_ids: int = Field(0, description="Ids that several rows share")
    last_attempt: str | None = None
    error: str | None = Field(None, description="Why the last refresh was not used")
    held_rows: int | None = Field(None, description="Usable rows of a file that was held back; acceptLoss=1 takes it")


def _standing(name: str, *, success: bool | None = None) -> CacheBody:
    with transaction(readonly=True):
        row = reads.cache(name) or MappingSource(name=name, rows_kept=0, rows_in_file=0, double_ids=0)
    return CacheBody(
        success=success,
        count=row.rows_kept,
        last_sync=iso(row.last_sync),
        last_activity=iso(row.last_activity),
        last_full_sync=iso(row.last_full_sync),
        rows_in_file=row.rows_in_file,
        double_ids=row.double_ids,
        last_attempt=iso(row.last_attempt),
        error=row.last_error,
        held_rows=row.held_rows,
    )


def _refresh(name: str, endpoint: str, query: CacheCommand) -> Response:
    """Put the refresh on its queue and wait until the cache says that it was tried."""
    if query.check:
        return answer(_standing(name).model_dump(by_alias=True, exclude={"success"}))
    if query.accept_loss:
        if not person().is_admin:
            raise ApiError(403, "forbidden", "A cache counts for everyone: an administrator decides.")
        caches.accept_loss(name)
    began = utcnow()
    if not enqueue.cache(NUMBERS[name]):
        raise ApiError(503, "queue_down", "The queue cannot be reached; the cache is refreshed when it is back.")
    latest: list[MappingSource | None] = [None]

    def look() -> bool:
        with transaction(readonly=True):
            latest[0] = reads.cache(name)
        return latest[0] is not None and latest[0].last_attempt is not None and latest[0].last_attempt >= began

    wait_for(look, query.wait)
    row = latest[0]
    if row is None or row.last_attempt is None or row.last_attempt < began:
        address = url_for(f"api_caches.{endpoint}", check=1)
        return answer_open(OpenBody(run_id=None, status="running", status_url=address, retry_after=5))
    if row.last_error is not None:
        body: dict[str, Any] = _standing(name, success=False).model_dump(by_alias=True)
        return answer({**body, "code": "cache_refresh_failed"}, 502)
    return answer(_standing(name, success=True))


@blueprint.get("/refresh-otaku", responses={200: CacheBody}, summary="How the Otaku cache stands, or refresh it")
def otaku_get(query: CacheCommand) -> Response:
    return _refresh("otaku", "otaku_get", query)


@blueprint.post("/refresh-otaku", responses={200: CacheBody}, summary="Refresh the Otaku cache")
def otaku(query: CacheCommand) -> Response:
    return _refresh("otaku", "otaku_get", query)


@blueprint.get("/refresh-fribbs", responses={200: CacheBody}, summary="How the Fribbs cache stands, or refresh it")
def fribbs_get(query: CacheCommand) -> Response:
    return _refresh("fribbs", "fribbs_get", query)


@blueprint.post("/refresh-fribbs", responses={200: CacheBody}, summary="Refresh the Fribbs cache")
def fribbs(query: CacheCommand) -> Response:
    return _refresh("fribbs", "fribbs_get", query)


@blueprint.get("/refresh-anime-lists", responses={200: CacheBody}, summary="How Anime-Lists stands, or refresh it")
def anime_lists_get(query: CacheCommand) -> Response:
    return _refresh("anime_lists", "anime_lists_get", query)


@blueprint.post("/refresh-anime-lists", responses={200: CacheBody}, summary="Refresh the Anime-Lists cache")
def anime_lists(query: CacheCommand) -> Response:
    return _refresh("anime_lists", "anime_lists_get", query)
