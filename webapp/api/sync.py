"""The commands that look at a library, or at one title, and send what is missing on Trakt."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flask import Response
from pydantic import Field, RootModel

from webapp import runs
from webapp.api import reads
from webapp.api.commands import OpenBody, PostCommand, RunBody, answer_run, require_connections, start
from webapp.api.fields import ApiError, Body, ErrorBody, Flag, Id, iso
from webapp.api.guard import api_blueprint, person
from webapp.database import transaction
from webapp.models import Run

blueprint = api_blueprint("api_sync", answers={202: OpenBody, 409: ErrorBody})


class Added(Body):
    episodes: int
    movies: int


class FullSyncBody(RunBody):
    """Counts are episodes, `synced` and `added` are plays that Trakt confirmed; with `preview=1` a preview instead."""

    message: str
    found: int
    synced: int
    already_synced: int
    skipped_unmapped: int
    added: Added


class LibrarySyncBody(RunBody):
    """`found`, `alreadySyncedShows`, `skippedUnmapped` and `review` are entries, the others confirmed plays."""

    message: str
    found: int
    synced: int
    already_synced_shows: int
    added_episodes: int
    added_movies: int
    batches: int
    skipped_unmapped: int
    review: int


class PreviewRow(Body):
    anilist_show_id: int
    title_english: str | None
    title_romaji: str | None
    progress: int | None
    watched_at: str | None = Field(description="Of the last play that would be sent; null: unknown, or nothing to send")
    episodes: list[int] = Field(description="Episodes of the entry that would be sent; [1] for a movie")
    reason: str | None = Field(description="Why the entry, or a part of it, would not be sent")


class PreviewBody(RunBody):
    items: list[PreviewRow]
    count: int


class FullSyncAnswer(RootModel[FullSyncBody | PreviewBody]):
    """The counts; with `preview=1` the preview."""


class LibrarySyncAnswer(RootModel[LibrarySyncBody | PreviewBody]):
    """The counts; with `preview=1` the preview."""


class TitleBody(RunBody):
    """`count` is the number of the show's episodes on Trakt."""

    success: bool
    count: int


class TitleAnswer(RootModel[TitleBody | PreviewBody]):
    """The counts; with `preview=1` the preview."""


NO_COUNTS: dict[str, dict[str, Any]] = {
    "full": {"message": "", "found": 0, "synced": 0, "alreadySynced": 0, "skippedUnmapped": 0, "added": {"episodes": 0, "movies": 0}},
    "completed": {"message": "", "found": 0, "synced": 0, "alreadySyncedShows": 0, "addedEpisodes": 0, "addedMovies": 0, "batches": 0, "skippedUnmapped": 0, "review": 0},
}  # fmt: skip
NO_COUNTS["watching"] = NO_COUNTS["completed"]
FINISHED: dict[Any, Any] = {502: RunBody}


def preview(run: Run) -> dict[str, Any]:
    """The preview form of a finished run: one row for each entry that would be sent, or cannot be."""
    with transaction(readonly=True):
        items = [_preview_row(row) for row in reads.preview_entries(run)]
    return {"items": [item.model_dump(by_alias=True) for item in items], "count": len(items)}


def _preview_row(row: reads.PreviewEntry) -> PreviewRow:
    last = row.plays[-1].watched_at if row.plays else None
    return PreviewRow(
        anilist_show_id=row.anilist_id,
        title_english=row.media.title_english if row.media else None,
        title_romaji=row.media.title_romaji if row.media else None,
        progress=row.entry.progress if row.entry else None,
        watched_at=iso(last),
        episodes=sorted({play.episode for play in row.plays}),
        reason=(row.item.reason or row.item.outcome) if row.item and row.item.outcome != "sent" else None,
    )


def _counts(mode: str) -> Callable[[Run], dict[str, Any]]:
    return lambda run: {**NO_COUNTS[mode], **(run.result or {})}


def _library(mode: str, query: PostCommand) -> Response:
    started = start(person(), mode, query)
    return answer_run(started, query.wait, preview if query.preview else _counts(mode))


@blueprint.get(
    "/full-sync", operation_id="full_sync_get", summary="The same by GET", responses={200: FullSyncAnswer, **FINISHED}
)
def full_sync_get(query: PostCommand) -> Response:
    return _library("full", query)


@blueprint.post(
    "/full-sync", summary="Send what is new in the whole library", responses={200: FullSyncAnswer, **FINISHED}
)
def full_sync(query: PostCommand) -> Response:
    """Entries in the statuses that the account ticked, found by activities and changes since the last run."""
    return _library("full", query)


@blueprint.get("/completed-sync", summary="What a completed sync would send", responses={200: PreviewBody, **FINISHED})
def completed_preview(query: PostCommand) -> Response:
    """Needs `preview=1`; a GET without it is 400."""
    return _preview_only("completed", query)


@blueprint.post("/completed-sync", summary="Send completed entries", responses={200: LibrarySyncAnswer, **FINISHED})
def completed_sync(query: PostCommand) -> Response:
    """COMPLETED and REPEATING entries, all their episodes."""
    return _library("completed", query)


@blueprint.get("/watching-sync", summary="What a watching sync would send", responses={200: PreviewBody, **FINISHED})
def watching_preview(query: PostCommand) -> Response:
    """Needs `preview=1`; a GET without it is 400."""
    return _preview_only("watching", query)


@blueprint.post("/watching-sync", summary="Send entries being watched", responses={200: LibrarySyncAnswer, **FINISHED})
def watching_sync(query: PostCommand) -> Response:
    """CURRENT entries, the episodes watched so far."""
    return _library("watching", query)


def _preview_only(mode: str, query: PostCommand) -> Response:
    if not query.preview:
        raise ApiError(400, "preview_only", "A GET answers the preview only: add preview=1, or send a POST.")
    return _library(mode, query)


class TitleCommand(PostCommand):
    anilist_id: Id
    post: Flag = Field(False, description="1: also sends what is missing of this entry")


@blueprint.get("/sync", operation_id="sync_get", summary="The same by GET", responses={200: TitleAnswer, **FINISHED})
def sync_get(query: TitleCommand) -> Response:
    return _title(query)


@blueprint.post("/sync", summary="Look at one entry anew", responses={200: TitleAnswer, **FINISHED})
def sync(query: TitleCommand) -> Response:
    """Refreshes identity, seasons and placement and posts nothing, unless `post=1` asks for it."""
    return _title(query)


def _title(query: TitleCommand) -> Response:
    if query.preview or query.post:
        started = start(person(), "title", query, anilist_id=query.anilist_id)
        return answer_run(started, query.wait, preview if query.preview else _title_counts)
    require_connections(person(), ["anilist"])
    started = runs.start(person().id, "single", "api", anilist_id=query.anilist_id)
    return answer_run(started, query.wait, _title_counts)


def _title_counts(run: Run) -> dict[str, Any]:
    result = dict(run.result or {})
    if run.mode == "title" and run.anilist_id is not None:  # a run that sends counts plays; this field is the show's
        with transaction(readonly=True):
            result["count"] = reads.episodes_on_trakt(run.user_id, run.anilist_id)
    return {"success": run.status in ("succeeded", "partial"), **result, "count": int(result.get("count") or 0)}
