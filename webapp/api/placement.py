"""Where one entry's episodes stand on Trakt, and why."""

from __future__ import annotations

from typing import Any

from flask import Response
from pydantic import Field

from webapp.api import reads
from webapp.api.fields import ApiError, Body, ErrorBody, Id, Query, answer
from webapp.api.guard import api_blueprint, person
from webapp.database import transaction
from webapp.models import Entry
from webapp.naming import title

blueprint = api_blueprint("api_placement", answers={404: ErrorBody})

MOST_EPISODES = 5000  # listed one by one


class PlacementQuery(Query):
    anilist_id: Id


class SpanRow(Body):
    first: int = Field(alias="from")
    last: int = Field(alias="to")
    season: int
    start: int


class EpisodeRow(Body):
    episode: int
    season: int
    number: int


class ReviewPart(Body):
    """What keeps the entry, or a part of it, from being placed."""

    pile: str | None
    reason: str | None
    candidates: list[dict[str, Any]]


class PlacementBody(Body):
    anilist_id: int
    title: str
    kind: str | None
    trakt_id: int | None
    spans: list[SpanRow]
    episodes: list[EpisodeRow]
    reason: str | None
    sources: dict[str, str]
    pile: str | None = Field(description="placed, needs_you, waiting or no_match; null: not looked at yet")
    review: ReviewPart | None = Field(description="null when nothing is open")


@blueprint.get("/placement", summary="Where an entry's episodes stand on Trakt", responses={200: PlacementBody})
def placement(query: PlacementQuery) -> Response:
    with transaction(readonly=True):
        entry = reads.placed_entry(person().id, query.anilist_id)
        if entry is None:
            raise ApiError(404, "not_found", "This entry is not on your list.")
        body = _body(entry, title(entry.media, person().title_language))
    return answer(body)


def _body(entry: Entry, name: str) -> PlacementBody:
    stored: dict[str, Any] = entry.placement or {}
    spans = [SpanRow.model_validate(span) for span in stored.get("spans") or []]
    return PlacementBody(
        anilist_id=entry.anilist_id,
        title=name,
        kind=entry.kind,
        trakt_id=entry.trakt_id,
        spans=spans,
        episodes=_episodes(spans, entry),
        reason=_reason(entry, stored),
        sources={str(name): str(said) for name, said in (stored.get("sources") or {}).items()},
        pile=entry.pile,
        review=_review(entry, stored),
    )


def _episodes(spans: list[SpanRow], entry: Entry) -> list[EpisodeRow]:
    """One by one; a span that is open at its end goes as far as the entry is known to go."""
    known = max(entry.media.episodes or 0, entry.progress)
    rows: list[EpisodeRow] = []
    for span in spans:
        last = min(span.last, max(known, span.first)) if span.last >= MOST_EPISODES else span.last
        rows += [
            EpisodeRow(episode=episode, season=span.season, number=span.start + episode - span.first)
            for episode in range(span.first, min(last, span.first + MOST_EPISODES) + 1)
        ]
    return rows[:MOST_EPISODES]


def _reason(entry: Entry, stored: dict[str, Any]) -> str | None:
    """The sentence; of a refusal it is what the refusal says."""
    if entry.pile == "placed":
        return stored.get("reason")
    return stored.get("detail") or stored.get("reason") or entry.reason


def _review(entry: Entry, stored: dict[str, Any]) -> ReviewPart | None:
    if entry.pile in (None, "placed"):
        return None
    return ReviewPart(pile=entry.pile, reason=entry.reason, candidates=list(stored.get("candidates") or []))
