"""What Trakt tells everybody: seasons of a show, shows and movies by id or title. Without a token, from several threads.

Reference: https://docs.trakt.tv/#reference/seasons, https://docs.trakt.tv/#reference/search
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal
from urllib.parse import quote

from jobs.answers import Answer
from jobs.errors import AppRefused, BadData, NotFound
from jobs.records import Ids, Kind, Shape, Slot
from jobs.said import said
from jobs.targets.trakt_http import check, headers, identifier, json_of, number, parse_time
from jobs.transport import Pace, Transport

IdType = Literal["tmdb", "imdb", "tvdb", "trakt"]
_ENDED = ("ended", "canceled")
_SPECIAL_CHARACTERS = re.compile(r'([+\-&|!(){}\[\]^"~*?:/\\])')


@dataclass(frozen=True, slots=True)
class Found:
    """A show or movie of Trakt. `ended`: whether Trakt says so; None when it was not asked."""

    kind: Kind
    trakt_id: int
    title: str | None
    year: int | None
    ids: Ids
    ended: bool | None = None
    slug: str | None = None


@dataclass(frozen=True, slots=True)
class SeasonsAnswer:
    """The seasons of a show, or that they have not changed, or that Trakt has no such show."""

    shape: Shape | None
    etag: str | None = None
    not_modified: bool = False
    missing: bool = False


class TraktPublic:
    """Trakt's public reads, with an app key."""

    def __init__(self, transport: Transport, url: str, *, client_id: str | None, pace: Pace | None = None) -> None:
        """Without an app key every question raises AppRefused; `ready` tells beforehand."""
        self._transport = transport
        self._url = url
        self._client_id = client_id
        self._pace = pace

    @property
    def ready(self) -> bool:
        """Whether there is an app key to ask with."""
        return self._client_id is not None

    def seasons(self, trakt_id: int, etag: str | None = None) -> SeasonsAnswer:
        """All seasons with their episodes, specials included; `etag` of an earlier answer saves reading them again.

        `shape.ended` is known only where the last episode is marked as the series finale.
        """
        more = {"If-None-Match": etag} if etag else {}
        answer = self._get(f"/shows/{trakt_id}/seasons", {"extended": "full,episodes"}, more)
        if answer.status == 304:
            return SeasonsAnswer(None, etag, not_modified=True)
        if answer.status == 404:
            return SeasonsAnswer(None, missing=True)
        rows = json_of(check(answer, said("such show")), said("seasons"))
        return SeasonsAnswer(parse_seasons(trakt_id, rows), answer.headers.get("ETag"))

    def show(self, trakt_id_or_slug: int | str) -> Found | None:
        """A show by Trakt id, slug or IMDb id, with whether it has ended; None when Trakt has none."""
        return self._summary("show", trakt_id_or_slug)

    def movie(self, trakt_id: int | str) -> Found | None:
        """A movie, or None."""
        return self._summary("movie", trakt_id)

    def find(self, id_type: IdType, external_id: int | str, kind: Kind) -> list[Found]:
        """Shows or movies with another service's id; the id spaces overlap, so the kind is always sent."""
        if kind == "movie" and id_type == "tvdb":
            return []  # Trakt's movies have no TVDB ids
        path = f"/search/{id_type}/{quote(str(external_id), safe='')}"
        return self._rows(json_of(check(self._get(path, {"type": kind}), said("such search")), said("search")), kind)

    def search(self, title: str) -> list[Found]:
        """Shows and movies by text, best first, as Trakt ranks them: for a person to choose from."""
        query = _SPECIAL_CHARACTERS.sub(r"\\\1", title).strip()
        if not query:
            return []
        answer = self._get("/search/show,movie", {"query": query, "limit": 20})
        rows = json_of(check(answer, said("such search")), said("search"))
        return self._rows(rows, "show", "movie")

    def search_movies(self, title: str) -> list[Found]:
        """Movies by text, best first, as Trakt ranks them; the caller decides which one it is."""
        query = _SPECIAL_CHARACTERS.sub(r"\\\1", title).strip()
        if not query:
            return []
        answer = self._get("/search/movie", {"query": query, "limit": 50})
        return self._rows(json_of(check(answer, said("such search")), said("search")), "movie")

    def _summary(self, kind: Kind, key: int | str) -> Found | None:
        answer = self._get(f"/{kind}s/{quote(str(key), safe='')}", {"extended": "full"})
        try:
            data = json_of(check(answer, said("such title")), said("title"))
        except NotFound:
            return None
        return _found(data, kind)

    def _rows(self, rows: Any, *kinds: Kind) -> list[Found]:
        if not isinstance(rows, list):
            raise BadData(said("Trakt's search did not answer with a list."), service="trakt")
        found = [
            one
            for row in rows
            for kind in kinds
            if isinstance(row, dict) and isinstance(row.get(kind), dict) and (one := _found(row[kind], kind))
        ]
        return list({(one.kind, one.trakt_id): one for one in found}.values())

    def _get(self, path: str, params: Mapping[str, Any], more: Mapping[str, str] | None = None) -> Answer:
        if self._client_id is None:
            raise AppRefused(said("No Trakt app is set up yet: Trakt needs a client id."), service="trakt")
        sent = headers(self._client_id) | dict(more or {})
        return self._transport.read("GET", self._url + path, params=params, headers=sent, pace=self._pace)


def _found(data: Any, kind: Kind) -> Found | None:
    ids = data.get("ids") if isinstance(data, dict) else None
    trakt_id = identifier(ids.get("trakt")) if isinstance(ids, dict) else None
    if not isinstance(ids, dict) or trakt_id is None:
        return None
    imdb = ids.get("imdb")
    status = data.get("status")
    return Found(
        kind=kind,
        trakt_id=trakt_id,
        title=data.get("title") if isinstance(data.get("title"), str) else None,
        year=identifier(data.get("year")),
        ids=Ids(
            trakt_id=trakt_id,
            tmdb_id=identifier(ids.get("tmdb")),
            imdb_id=imdb if isinstance(imdb, str) and imdb else None,
            tvdb_id=identifier(ids.get("tvdb")),
        ),
        ended=status in _ENDED if isinstance(status, str) else None,
        slug=ids.get("slug") if isinstance(ids.get("slug"), str) else None,
    )


def parse_seasons(trakt_id: int, rows: Any) -> Shape:
    """`/shows/:id/seasons?extended=full,episodes` -> a Shape. Raises BadData for an answer that is none."""

    def wrong() -> BadData:
        return BadData(
            said("Trakt's seasons of show %(trakt_id)s cannot be read.", trakt_id=str(trakt_id)), service="trakt"
        )

    if not isinstance(rows, list):
        raise wrong()
    seasons: dict[int, tuple[Slot, ...]] = {}
    finale = False
    for row in sorted(rows, key=lambda row: (number(row.get("number")) or 0) if isinstance(row, dict) else 0):
        season = number(row.get("number")) if isinstance(row, dict) else None
        if season is None or season in seasons:
            raise wrong()
        slots: dict[int, Slot] = {}
        episodes = [episode for episode in row.get("episodes") or [] if isinstance(episode, dict)]
        for episode in sorted(episodes, key=lambda episode: number(episode.get("number")) or 0):
            episode_number = number(episode.get("number"))
            if episode_number is None or episode_number in slots:
                raise wrong()
            slots[episode_number] = _slot(episode_number, episode)
            if season > 0:
                finale = episode.get("episode_type") == "series_finale"
        seasons[season] = tuple(slots.values())
    return Shape(trakt_id=trakt_id, seasons=seasons, ended=finale)


def _slot(episode_number: int, episode: Mapping[str, Any]) -> Slot:
    ids, title = episode.get("ids"), episode.get("title")
    return Slot(
        number=episode_number,
        trakt_episode_id=identifier(ids.get("trakt")) if isinstance(ids, dict) else None,
        first_aired=parse_time(episode.get("first_aired")),
        title=title if isinstance(title, str) else None,
        runtime=identifier(episode.get("runtime")),
    )
