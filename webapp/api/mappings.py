"""Which show or movie an entry is: the stored mappings, and a person's own."""

from __future__ import annotations

from typing import Annotated, Literal

from flask import Response
from pydantic import Field, model_validator

from webapp import corrections
from webapp.api import reads
from webapp.api.fields import (
    ApiError,
    Body,
    Episode,
    Id,
    Limit,
    Offset,
    Query,
    Search,
    Season,
    answer,
    iso,
    next_address,
)
from webapp.api.guard import api_blueprint, person
from webapp.database import transaction

blueprint = api_blueprint("api_mappings")

AUTO_ROWS = 1000  # without a limit

ImdbId = Annotated[str, Field(pattern=r"^tt[0-9]{5,12}$")]
Kind = Literal["show", "movie"]


class MappingRow(Body):
    anilist_id: int
    trakt_id: int
    tmdb_id: int | None
    imdb_id: str | None
    tvdb_id: int | None
    type: str = Field(description="manual or auto")
    kind: str
    season: int | None = Field(description="Trakt season of the first span; null: not placed, several, or a movie")
    source: str
    reason: str | None
    updated_at: str | None


class MappingsBody(Body):
    manual: list[MappingRow]
    auto: list[MappingRow]
    count: int
    next: str | None


class MappingsQuery(Query):
    q: Search = Field("", description="Part of a title, or an AniList or Trakt id")
    limit: Limit | None = Field(None, description="Without it: all manual rows and the first 1,000 auto rows")
    offset: Offset = 0


@blueprint.get("/mappings", summary="Stored mappings", responses={200: MappingsBody})
def mappings(query: MappingsQuery) -> Response:
    """Manual rows (the person's own and shared ones) first, then those that were found automatically."""
    user_id, q = person().id, query.q.strip()
    with transaction(readonly=True):
        manual_count, auto_count = reads.mapping_counts(user_id, q)
        count = manual_count + auto_count
        if query.limit is None:
            manual = reads.manual_mappings(user_id, q, limit=None)
            auto = reads.auto_mappings(user_id, q, limit=AUTO_ROWS)
            following = next_address(count, manual_count, AUTO_ROWS)
        else:
            manual = reads.manual_mappings(user_id, q, limit=query.limit, offset=query.offset)
            left, skip = query.limit - len(manual), max(query.offset - manual_count, 0)
            auto = reads.auto_mappings(user_id, q, limit=left, offset=skip) if left else []
            following = next_address(count, query.offset, query.limit)
    body = MappingsBody(
        manual=[_row(row, "manual") for row in manual],
        auto=[_row(row, "auto") for row in auto],
        count=count,
        next=following,
    )
    return answer(body)


def _row(row: reads.MappingRow, type_: str) -> MappingRow:
    mapping = row.mapping
    seasons = {span.get("season") for span in (row.placement or {}).get("spans") or []}
    return MappingRow(
        anilist_id=mapping.anilist_id,
        trakt_id=mapping.trakt_id,
        tmdb_id=mapping.tmdb_id,
        imdb_id=mapping.imdb_id,
        tvdb_id=mapping.tvdb_id,
        type=type_,
        kind=mapping.kind,
        season=seasons.pop() if len(seasons) == 1 else None,
        source=mapping.source,
        reason=mapping.reason,
        updated_at=iso(mapping.updated_at),
    )


class SpanBody(Body):
    """Episodes `from`..`to` of the entry go to `season` from `start` on; without `to` up to the last one."""

    first: Episode = Field(alias="from")
    last: Episode | None = Field(None, alias="to")
    season: Season
    start: Episode

    @model_validator(mode="after")
    def _in_order(self) -> SpanBody:
        if self.last is not None and self.last < self.first:
            raise ValueError("to lies before from")
        return self

    def given(self) -> corrections.SpanInput:
        return corrections.SpanInput(self.first, self.last, self.season, self.start)


class ManualMapBody(Body):
    anilist_id: Id
    trakt_id: Id
    tmdb_id: Id | None = None
    imdb_id: ImdbId | None = None
    tvdb_id: Id | None = None
    kind: Kind | None = None
    spans: list[SpanBody] | None = Field(None, max_length=500, description="Replaces all spans of the entry")


class ManualMapAnswer(Body):
    success: bool
    added: int = Field(description="Rows written")


@blueprint.post("/manual-map", summary="Say which show or movie an entry is", responses={200: ManualMapAnswer})
def manual_map(body: ManualMapBody) -> Response:
    """Wins over everything that is found automatically; the next run looks at the entry again."""
    given = corrections.MappingInput(
        body.anilist_id, body.trakt_id, body.kind, body.tmdb_id, body.imdb_id, body.tvdb_id
    )
    spans = None if body.spans is None else [span.given() for span in body.spans]
    try:
        corrections.save_mapping(person(), given, spans)
    except corrections.OverlappingSpans as error:
        raise ApiError(400, "overlapping_spans", f"The spans overlap: {error}.") from None
    return answer(ManualMapAnswer(success=True, added=1))
