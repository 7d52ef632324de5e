"""How things stand: last syncs and connections, log lines, what is settled of each entry."""

from __future__ import annotations

from typing import Literal

from flask import Response
from pydantic import Field, RootModel

from webapp import queries
from webapp.api import reads
from webapp.api.fields import MAX_ID, ApiError, Body, Id, Limit, ListQuery, Page, Query, answer, iso, next_address
from webapp.api.guard import api_blueprint, person
from webapp.database import transaction
from webapp.models import Connection, Log

blueprint = api_blueprint("api_status")


class ConnectionBody(Body):
    state: str = Field(description="connected, name_only, reconnect, refused or disconnected")
    account: str | None = None
    reason: str | None = None
    since: str | None = None


class StatusBody(Body):
    last_manual_sync: str | None
    last_automated_sync: str | None
    last_completed_sync: str | None
    last_watching_sync: str | None
    connections: dict[str, ConnectionBody]
    open_runs: list[int]
    needs_you: int = Field(description="Entries that wait for a person's decision")


@blueprint.get("/status", summary="Last syncs and connections", responses={200: StatusBody})
def status() -> Response:
    user = person()
    with transaction(readonly=True):
        last = queries.last_syncs(user.id)
        rows = queries.connections(user.id)
        body = StatusBody(
            last_manual_sync=iso(last["manual"]),
            last_automated_sync=iso(last["automated"]),
            last_completed_sync=iso(last["completed"]),
            last_watching_sync=iso(last["watching"]),
            connections={name: _connection(rows.get(name)) for name in ("anilist", "trakt")},
            open_runs=[run.id for run in queries.open_runs(user.id)],
            needs_you=queries.pile_counts(user.id).get("needs_you", 0),
        )
    return answer(body)


def _connection(row: Connection | None) -> ConnectionBody:
    if row is None:
        return ConnectionBody(state="disconnected")
    return ConnectionBody(
        state=row.state, account=row.account_name, reason=row.state_reason, since=iso(row.state_since)
    )


class LogsQuery(Query):
    after: int | None = Field(None, ge=0, le=MAX_ID, description="Only lines with a higher id, oldest first")
    limit: Limit = 200
    level: Literal["debug", "info", "warning", "error"] | None = Field(None, description="Only lines of this level")


class LogBody(Body):
    id: int
    message: str
    level: str
    created_at: str = Field(alias="created_at")


class LogList(RootModel[list[LogBody]]):
    """A bare array: newest first, with `after` oldest first."""


@blueprint.get("/logs", summary="Log lines", responses={200: LogList})
def logs(query: LogsQuery) -> Response:
    with transaction(readonly=True):
        lines = reads.log_lines(person().id, after=query.after, level=query.level, limit=min(query.limit, 200))
    return answer([_line(line) for line in lines])


def _line(line: Log) -> LogBody:
    return LogBody(id=line.id, message=line.message, level=line.level, created_at=iso(line.created_at) or "")


class ProgressQuery(ListQuery):
    anilist_id: Id | None = Field(None, description="Only this entry; then the answer is one row, not a list")


class ProgressBody(Body):
    anilist_id: int
    last_abs: int = Field(description="Highest episode of the entry that is settled on Trakt")
    updated_at: str | None


class ProgressAnswer(RootModel[Page[ProgressBody] | ProgressBody]):
    """The newest rows; with `anilistId` that one row."""


@blueprint.get("/progress", summary="What is settled of each entry", responses={200: ProgressAnswer})
def progress(query: ProgressQuery) -> Response:
    """One row with `anilistId`, else the newest rows."""
    user = person()
    with transaction(readonly=True):
        if query.anilist_id is not None:
            row = reads.progress_of(user.id, query.anilist_id)
            if row is None:
                raise ApiError(404, "not_found", "Nothing of this entry is settled on Trakt yet.")
            return answer(
                ProgressBody(anilist_id=row.anilist_id, last_abs=row.last_abs, updated_at=iso(row.updated_at))
            )
        rows = queries.progress_rows(user.id, limit=query.limit, offset=query.offset)
        count = queries.progress_count(user.id)
    items = [ProgressBody(anilist_id=r.anilist_id, last_abs=r.last_abs, updated_at=iso(r.updated_at)) for r, _ in rows]
    return answer(Page[ProgressBody](items=items, count=count, next=next_address(count, query.offset, query.limit)))
