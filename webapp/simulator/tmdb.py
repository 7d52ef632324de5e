"""The stand-in TMDB: find, external ids, shows and seasons, from the same catalogue as the stand-in Trakt."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response, request

from webapp.simulator import constants
from webapp.simulator.catalogue import Episode, Movie, Show, day
from webapp.simulator.trakt_rows import json_answer
from webapp.simulator.world import World

Row = dict[str, Any]


def _error(status: int, code: int, message: str) -> Response:
    return json_answer({"success": False, "status_code": code, "status_message": message}, status)


def _missing() -> Response:
    return _error(404, 34, "The resource you requested could not be found.")


def blueprint(world: World) -> Blueprint:
    """`/tmdb/...`."""
    api = Blueprint("tmdb", __name__, url_prefix="/tmdb")

    @api.before_request
    def check_key() -> Response | None:
        bearer = request.headers.get("Authorization", "").removeprefix("Bearer ")
        if constants.TMDB_API_KEY not in (request.args.get("api_key"), bearer):
            return _error(401, 7, "Invalid API key: You must be granted a valid key.")
        return None

    @api.get("/find/<value>")
    def find(value: str) -> Response:
        source = request.args.get("external_source", "")
        if source not in ("imdb_id", "tvdb_id"):
            return _error(400, 5, "Invalid parameters: Your request parameters are incorrect.")
        id_type = source.removesuffix("_id")
        show, movie = (
            world.library.catalogue.show_by(id_type, value),
            world.library.catalogue.movie_by(id_type, value),
        )
        found: dict[str, list[Row]] = {
            f"{kind}_results": [] for kind in ("movie", "person", "tv", "tv_episode", "tv_season")
        }
        if show and show.tmdb:
            found["tv_results"].append(_show_row(show) | {"media_type": "tv"})
        if movie and movie.tmdb:
            found["movie_results"].append(_movie_row(movie) | {"media_type": "movie"})
        return json_answer(found)

    @api.get("/tv/<int:tmdb_id>")
    def tv(tmdb_id: int) -> Response:
        show = world.library.catalogue.show_by("tmdb", tmdb_id)
        if show is None:
            return _missing()
        seasons = [_season_row(show, number) for number in sorted(show.seasons)]
        body = _show_row(show) | {
            "number_of_seasons": sum(1 for n in show.seasons if n > 0),
            "number_of_episodes": len(show.regular()),
            "status": "Ended" if show.ended else "Returning Series",
            "seasons": [{n: v for n, v in row.items() if n != "episodes"} for row in seasons],
        }
        for wanted in request.args.get("append_to_response", "").split(","):
            if wanted == "external_ids":
                body["external_ids"] = _external(show.tmdb, show.imdb, show.tvdb)
            elif wanted.startswith("season/") and wanted[7:].isdigit() and int(wanted[7:]) in show.seasons:
                body[wanted] = _season_row(show, int(wanted[7:]))
        return json_answer(body)

    @api.get("/tv/<int:tmdb_id>/external_ids")
    def tv_ids(tmdb_id: int) -> Response:
        show = world.library.catalogue.show_by("tmdb", tmdb_id)
        return json_answer(_external(show.tmdb, show.imdb, show.tvdb)) if show else _missing()

    @api.get("/tv/<int:tmdb_id>/season/<int:number>")
    def season(tmdb_id: int, number: int) -> Response:
        show = world.library.catalogue.show_by("tmdb", tmdb_id)
        return json_answer(_season_row(show, number)) if show and number in show.seasons else _missing()

    @api.get("/movie/<int:tmdb_id>")
    def movie(tmdb_id: int) -> Response:
        found = world.library.catalogue.movie_by("tmdb", tmdb_id)
        return (
            json_answer(_movie_row(found) | {"imdb_id": found.imdb, "runtime": found.runtime}) if found else _missing()
        )

    @api.get("/movie/<int:tmdb_id>/external_ids")
    def movie_ids(tmdb_id: int) -> Response:
        found = world.library.catalogue.movie_by("tmdb", tmdb_id)
        if found is None:
            return _missing()
        return json_answer({n: v for n, v in _external(found.tmdb, found.imdb, None).items() if n != "tvdb_id"})

    return api


def _external(tmdb: int | None, imdb: str | None, tvdb: int | None) -> Row:
    names = ("wikidata_id", "facebook_id", "instagram_id", "twitter_id")
    return {"id": tmdb, "imdb_id": imdb, "tvdb_id": tvdb, **dict.fromkeys(names)}


def _show_row(show: Show) -> Row:
    first = min((e.first_aired for e in show.regular() if e.first_aired is not None), default=None)
    return {
        "id": show.tmdb,
        "name": show.title,
        "original_name": show.title,
        "first_air_date": day(first) or "",
        "origin_country": ["JP"],
        "genre_ids": [16],
    }


def _movie_row(movie: Movie) -> Row:
    return {"id": movie.tmdb, "title": movie.title, "original_title": movie.title, "release_date": movie.released or ""}


def _season_row(show: Show, number: int) -> Row:
    episodes = [episode for _, episode in sorted(show.seasons[number].items())]
    return {
        "id": show.trakt_id * 100 + number + 7,
        "name": "Specials" if number == 0 else f"Season {number}",
        "season_number": number,
        "episode_count": len(episodes),
        "air_date": day(min((e.first_aired for e in episodes if e.first_aired is not None), default=None)),
        "episodes": [_episode_row(show, episode) for episode in episodes],
    }


def _episode_row(show: Show, episode: Episode) -> Row:
    return {
        "id": episode.tmdb_id,
        "name": episode.title,
        "air_date": day(episode.first_aired),
        "episode_number": episode.number,
        "season_number": episode.season,
        "runtime": episode.runtime,
        "episode_type": "standard",
        "show_id": show.tmdb,
    }
