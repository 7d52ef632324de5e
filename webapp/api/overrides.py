"""Corrections by episode: the instance's `episode_override` by show, a person's spans by entry."""

from __future__ import annotations

from flask import Response
from pydantic import Field, model_validator

from webapp import corrections
from webapp.api import reads
from webapp.api.fields import ApiError, Body, Command, Episode, ErrorBody, Id, ListQuery, Season, answer, next_address
from webapp.api.guard import api_blueprint, person
from webapp.database import transaction

blueprint = api_blueprint("api_overrides", answers={403: ErrorBody, 404: ErrorBody})


class OverrideRow(Body):
    """Either `traktId, abs, season, episode`, or `anilistId, from, to, season, start`; `to` null: to the end."""

    trakt_id: int | None = None
    abs: int | None = Field(None, description="Counts the show's regular episodes in Trakt's order")
    episode: int | None = None
    anilist_id: int | None = None
    first: int | None = Field(None, alias="from")
    last: int | None = Field(None, alias="to")
    start: int | None = None
    season: int


class OverrideList(Body):
    items: list[OverrideRow]
    count: int
    next: str | None


class OverridesQuery(ListQuery):
    trakt_id: Id | None = None
    anilist_id: Id | None = None


@blueprint.get("/overrides", summary="Corrections by episode", responses={200: OverrideList})
def overrides(query: OverridesQuery) -> Response:
    """Rows of shows first, then the person's spans by entry."""
    user_id = person().id
    chosen = {"trakt_id": query.trakt_id, "anilist_id": query.anilist_id}
    with transaction(readonly=True):
        shows, entries = reads.override_counts(user_id, **chosen)
        found = reads.episode_overrides(user_id, **chosen, limit=query.limit, offset=query.offset)
        left, skip = query.limit - len(found), max(query.offset - shows, 0)
        spans = reads.entry_spans(user_id, **chosen, limit=left, offset=skip)
    items = [OverrideRow(trakt_id=o.trakt_id, abs=o.abs, season=o.season, episode=o.episode) for o in found]
    items += [
        OverrideRow(anilist_id=s.anilist_id, first=s.first, last=s.last, season=s.season, start=s.start) for s in spans
    ]
    count = shows + entries
    body = OverrideList(items=items, count=count, next=next_address(count, query.offset, query.limit))
    response = answer(body)
    plain = body.model_dump(mode="json", by_alias=True, exclude_unset=True)
    response.set_data(answer(plain).get_data())  # a row carries the fields of its own form only
    return response


class OverrideInput(Body):
    """One of the two forms, whole."""

    trakt_id: Id | None = None
    abs: Episode | None = None
    episode: Episode | None = None
    anilist_id: Id | None = None
    first: Episode | None = Field(None, alias="from")
    last: Episode | None = Field(None, alias="to")
    start: Episode | None = None
    season: Season

    @model_validator(mode="after")
    def _one_form(self) -> OverrideInput:
        show, entry = (self.trakt_id, self.abs, self.episode), (self.anilist_id, self.first, self.start)
        whole_show = None not in show and not any((*entry, self.last))
        whole_entry = None not in entry and not any(show)
        if not (whole_show or whole_entry):
            raise ValueError("Send traktId, abs, season and episode, or anilistId, from, to, season and start.")
        if self.first and self.last and self.last < self.first:
            raise ValueError("to lies before from.")
        return self


class OverrideAnswer(Body):
    success: bool
    count: int = Field(description="Rows written or removed")


@blueprint.post("/overrides", summary="Correct where episodes go", responses={200: OverrideAnswer})
def add_override(body: OverrideInput) -> Response:
    """By show: for everyone on the instance, by administrators only. By entry: for the person."""
    if body.trakt_id is not None:
        assert body.abs is not None
        assert body.episode is not None
        _require_admin()
        corrections.save_override(body.trakt_id, body.abs, body.season, body.episode)
    else:
        assert body.anilist_id is not None
        assert body.first is not None
        assert body.start is not None
        span = corrections.SpanInput(body.first, body.last, body.season, body.start)
        try:
            corrections.save_span(person(), body.anilist_id, span)
        except corrections.OverlappingSpans as error:
            raise ApiError(400, "overlapping_spans", f"The spans overlap: {error}.") from None
    return answer(OverrideAnswer(success=True, count=1))


class OverrideChoice(Command):
    trakt_id: Id | None = None
    abs: Episode | None = None
    anilist_id: Id | None = None
    first: Episode | None = Field(None, alias="from", description="Without it: all spans of the entry")


@blueprint.delete("/overrides", summary="Remove corrections", responses={200: OverrideAnswer})
def remove_override(query: OverrideChoice) -> Response:
    """`?traktId=&abs=`, or `?anilistId=` with or without `&from=`."""
    if query.trakt_id is not None and query.abs is not None and query.anilist_id is None and query.first is None:
        _require_admin()
        removed = corrections.delete_override(query.trakt_id, query.abs)
    elif query.anilist_id is not None and query.trakt_id is None and query.abs is None:
        removed = corrections.delete_spans(person(), query.anilist_id, query.first)
    else:
        raise ApiError(400, "missing_parameter", "Name traktId and abs, or anilistId with or without from.")
    if not removed:
        raise ApiError(404, "not_found", "There is no such correction.")
    return answer(OverrideAnswer(success=True, count=removed))


def _require_admin() -> None:
    if not person().is_admin:
        raise ApiError(403, "forbidden", "Corrections by show count for everyone: an administrator writes them.")
