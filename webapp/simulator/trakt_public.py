"""What the stand-in Trakt tells everyone: shows, movies, seasons and search."""

from __future__ import annotations

from collections.abc import Callable
from hashlib import sha256
from typing import Any

from flask import Blueprint, Response, abort, request

from webapp.simulator.catalogue import Movie, Show, iso
from webapp.simulator.trakt_rows import Row, episode_row, extended, full_row, json_answer, movie_row, paged, show_row
from webapp.simulator.world import World


def _season_row(world: World, show: Show, number: int, parts: set[str]) -> Row:
    episodes = [episode for _, episode in sorted(show.seasons[number].items())]
    row: Row = {
        "number": number,
        "ids": {"trakt": show.trakt_id * 100 + number, "tvdb": None, "tmdb": show.trakt_id * 100 + number + 7},
    }
    if "full" in parts:
        aired = [e for e in episodes if e.first_aired is not None and e.first_aired <= world.clock()]
        row |= {
            "title": "Specials" if number == 0 else f"Season {number}",
            "overview": None,
            "rating": 8.0,
            "votes": 10,
            "episode_count": len(episodes),
            "aired_episodes": len(aired),
            "first_aired": iso(min((e.first_aired for e in episodes if e.first_aired is not None), default=None)),
            "updated_at": "2026-01-01T00:00:00.000Z",
            "network": "Simulated",
        }
    if "episodes" in parts:
        row["episodes"] = [episode_row(e, full="full" in parts) for e in episodes]
    return row


def add_routes(api: Blueprint, world: World) -> None:
    """Summaries, seasons and search; no token is needed."""

    def summary(thing: Show | Movie | None, plain: Callable[[Any], Row]) -> Response:
        if thing is None:
            return Response(b"", 404)
        return json_answer(full_row(thing, world.clock()) if "full" in extended() else plain(thing))

    @api.get("/shows/<value>")
    def show(value: str) -> Response:
        return summary(world.library.catalogue.show_by_path(value), show_row)

    @api.get("/movies/<value>")
    def movie(value: str) -> Response:
        return summary(world.library.catalogue.movie_by_path(value), movie_row)

    @api.get("/shows/<value>/seasons")
    def seasons(value: str) -> Response:
        found = world.library.catalogue.show_by_path(value)
        if found is None:
            return Response(b"", 404)
        parts = extended()
        tag = f'W/"{sha256(f"{found.trakt_id}:{found.version}:{sorted(parts)}".encode()).hexdigest()[:32]}"'
        headers = {"ETag": tag, "Cache-Control": "public, max-age=28800"}
        if tag in [part.strip() for part in request.headers.get("If-None-Match", "").split(",")]:
            return Response(status=304, headers=headers)
        rows = [_season_row(world, found, number, parts) for number in sorted(found.seasons)]
        return json_answer(rows, headers=headers)

    @api.get("/shows/<value>/seasons/<int:number>")
    def season(value: str, number: int) -> Response:
        found = world.library.catalogue.show_by_path(value)
        if found is None or number not in found.seasons:
            return Response(b"", 404)
        full = "full" in extended()
        return json_answer([episode_row(e, full=full) for _, e in sorted(found.seasons[number].items())])

    @api.get("/search/<kinds>")
    def search_text(kinds: str) -> Response:
        rows: list[Row] = []
        for kind in kinds.split(","):
            if kind not in ("show", "movie"):
                continue
            for score, thing in world.library.catalogue.search(
                "show" if kind == "show" else "movie", request.args.get("query", "")
            ):
                plain = movie_row(thing) if isinstance(thing, Movie) else show_row(thing)
                rows.append(
                    {
                        "score": score,
                        "type": kind,
                        kind: full_row(thing, world.clock()) if "full" in extended() else plain,
                    }
                )
        return paged(sorted(rows, key=lambda row: -row["score"]), default=50)

    @api.get("/search/<id_type>/<value>")
    def search_id(id_type: str, value: str) -> Response:
        if id_type not in ("trakt", "imdb", "tmdb", "tvdb"):
            abort(404)
        return json_answer(_by_id(world, id_type, value))


def _by_id(world: World, id_type: str, value: str) -> list[Row]:
    """Without `type` the number spaces overlap, and everything that fits is answered."""
    catalogue = world.library.catalogue
    wanted = (
        set((request.args.get("type") or "show,movie,episode").split(",")) if id_type != "imdb" else {"show", "movie"}
    )
    full = "full" in extended()
    rows: list[Row] = []
    if "movie" in wanted and (movie := catalogue.movie_by(id_type, value)):
        rows.append(
            {"score": 1000, "type": "movie", "movie": full_row(movie, world.clock()) if full else movie_row(movie)}
        )
    if "show" in wanted and (show := catalogue.show_by(id_type, value)):
        rows.append({"score": 1000, "type": "show", "show": full_row(show, world.clock()) if full else show_row(show)})
    if "episode" in wanted and value.isdigit():
        shift = {"trakt": 0, "tmdb": 1_000_000, "tvdb": 5_000_000}[id_type]
        if episode := catalogue.episodes.get(int(value) - shift):
            show_of = catalogue.shows[episode.show_id]
            rows.append(
                {
                    "score": 1000,
                    "type": "episode",
                    "episode": episode_row(episode, full=full),
                    "show": show_row(show_of),
                }
            )
    return rows
