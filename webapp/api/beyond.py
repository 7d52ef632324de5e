"""Ratings, watchlist items and dropped shows that were sent, as the page `/history/beyond` lists them."""

from __future__ import annotations

from typing import Any, Literal

from flask import Response, request
from pydantic import Field

from webapp.api.fields import Body, Id, Limit, Page, Query, answer, iso
from webapp.api.guard import api_blueprint, person
from webapp.database import transaction
from webapp.naming import title
from webapp.queries import beyond

blueprint = api_blueprint("api_beyond")


class ExtrasQuery(Query):
    kind: Literal["rating", "watchlist", "dropped"] | None = None
    anilist_id: Id | None = Field(None, description="Only of this title")
    run_id: Id | None = Field(None, description="Only what this run sent")
    before: Id | None = Field(None, description="Only rows with a lower id")
    limit: Limit = 50


class ExtraBody(Body):
    id: int
    anilist_id: int
    title: str | None
    kind: str = Field(description="rating, watchlist or dropped")
    target: str = Field(description="movie, show or season")
    trakt_id: int = Field(description="Of the movie or the show")
    season: int = Field(description="0 unless the target is a season")
    value: int | None = Field(description="The rating, 1 to 10")
    state: str = Field(description="sending, sent, rejected, removing, removed or gone")
    held: bool = Field(description="Not sent until it is asked for again")
    run_id: int | None
    sent_at: str | None


@blueprint.get(
    "/extras", summary="Ratings, watchlist items and dropped shows, newest first", responses={200: Page[ExtraBody]}
)
def extras(query: ExtrasQuery) -> Response:
    """What was sent to Trakt beyond plays, with how it stands now. What a run would send stands in its file on `/runs/<id>`."""
    with transaction(readonly=True):
        of: dict[str, Any] = {"kind": query.kind or "", "anilist_id": query.anilist_id, "run_id": query.run_id}
        found = beyond.history(person().id, **of, before=query.before, limit=query.limit)
        count = beyond.count(person().id, **of)
        items = [
            ExtraBody(
                id=row.id,
                anilist_id=row.anilist_id,
                title=title(media, person().title_language) if media else None,
                kind=row.kind,
                target=row.target,
                trakt_id=row.trakt_id,
                season=row.season,
                value=row.value if row.kind == "rating" else None,
                state=row.state,
                held=row.held,
                run_id=row.run_id,
                sent_at=iso(row.sent_at),
            )
            for row, media in found.extras
        ]
    kept = "".join(
        f"&{name}={value}"
        for name, value in (("kind", query.kind), ("anilistId", query.anilist_id), ("runId", query.run_id))
        if value
    )
    address = f"{request.script_root}{request.path}?limit={query.limit}&before={found.next}{kept}"
    return answer(Page[ExtraBody](items=items, count=count, next=address if found.next else None))
