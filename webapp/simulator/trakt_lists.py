"""What an account has on the stand-in Trakt: watched lists, last activities, settings."""

from __future__ import annotations

from collections.abc import Callable

from flask import Blueprint, Response, request

from webapp.simulator.catalogue import iso
from webapp.simulator.trakt_gate import View
from webapp.simulator.trakt_rows import (
    LIMIT_MAX,
    LIMIT_MAX_PROGRESS,
    Row,
    extended,
    json_answer,
    movie_row,
    paged,
    show_row,
)
from webapp.simulator.world import TraktAccount, World


def add_routes(api: Blueprint, world: World, signed_in: Callable[[View], View]) -> None:
    """`/sync/last_activities`, `/sync/watched/...`, `/users/settings`."""

    @api.get("/sync/last_activities")
    @signed_in
    def last_activities(account: TraktAccount) -> Response:
        return json_answer(_last_activities(world, account))

    @api.get("/sync/watched/shows")
    @signed_in
    def watched_shows(account: TraktAccount) -> Response:
        progress = "progress" in extended()
        specials = progress and request.args.get("specials") == "true"
        rows = _watched_shows(
            world, account, progress=progress, specials=specials, hidden=request.args.get("hidden") == "true"
        )
        return paged(rows, most=min(world.settings.trakt_page, LIMIT_MAX_PROGRESS if progress else LIMIT_MAX))

    @api.get("/sync/watched/movies")
    @signed_in
    def watched_movies(account: TraktAccount) -> Response:
        return paged(_watched_movies(world, account), most=min(world.settings.trakt_page, LIMIT_MAX))

    @api.get("/users/settings")
    @signed_in
    def settings(account: TraktAccount) -> Response:
        return json_answer(_settings(account, browsing="browsing" in extended()))


def _last_activities(world: World, account: TraktAccount) -> Row:
    beginning = iso(1_300_000_000.0)
    episodes, movies = account.episodes_at, account.movies_at
    if world.settings.lag_activities and world.settings.lag_seconds:
        moment = world.clock() - world.settings.lag_seconds
        episodes, movies = min(episodes, moment), min(movies, moment)
    times = {"episodes": iso(episodes) if episodes else beginning, "movies": iso(movies) if movies else beginning}
    groups = {
        "movies": "collected_at rated_at watchlisted_at favorited_at commented_at paused_at hidden_at",
        "episodes": "collected_at rated_at watchlisted_at commented_at paused_at",
        "shows": "rated_at watchlisted_at favorited_at commented_at hidden_at dropped_at",
        "seasons": "rated_at watchlisted_at commented_at hidden_at",
        "comments": "liked_at reacted_at blocked_at",
        "lists": "liked_at reacted_at updated_at commented_at",
        "watchlist": "updated_at",
        "favorites": "updated_at",
        "collaborations": "updated_at",
        "account": "settings_at followed_at following_at pending_at requested_at",
        "saved_filters": "updated_at",
        "notes": "updated_at",
    }
    out: Row = {"all": max(str(times["episodes"]), str(times["movies"]))}
    for name, keys in groups.items():
        moved = {key: _moved(world, account, f"{name}.{key}") or beginning for key in keys.split()}
        out[name] = ({"watched_at": times[name]} if name in times else {}) | moved
    out["all"] = max(str(out["all"]), *(str(moment) for name in groups for moment in out[name].values()))
    return out


def _moved(world: World, account: TraktAccount, name: str) -> str | None:
    when = account.marks.moved.get(name)
    if when is not None and world.settings.lag_activities and world.settings.lag_seconds:
        when = min(when, world.clock() - world.settings.lag_seconds)
    return iso(when)


def _watched_shows(
    world: World, account: TraktAccount, *, progress: bool, specials: bool, hidden: bool
) -> list[Callable[[], Row]]:
    """Functions that give the rows, latest watched first; only those of the asked page are built."""
    moment = world.reading_moment
    shows: dict[int, dict[int, dict[int, tuple[int, float | None]]]] = {}
    for (kind, trakt_id, season, number), plays in account.by_place.items():
        if kind != "episode":
            continue
        living = plays if moment is None else [p for p in plays if p.seen_at(moment)]
        times = [p.watched_at for p in living if moment is not None or p.removed_at is None]
        if times:
            latest = max((t for t in times if t is not None), default=None)
            shows.setdefault(trakt_id, {}).setdefault(season, {})[number] = (len(times), latest)

    def row(trakt_id: int) -> Row:
        show = world.library.catalogue.shows[trakt_id]
        seasons = shows[trakt_id]
        counted = [cell for numbers in seasons.values() for cell in numbers.values()]
        latest = max((t for _, t in counted if t is not None), default=None)
        out: Row = {
            "plays": sum(n for n, _ in counted),
            "last_watched_at": iso(latest),
            "last_updated_at": iso(latest),
            "reset_at": iso(account.reset_at.get(trakt_id)),
            "show": {**show_row(show), "aired_episodes": show.aired(world.clock())},
        }
        if progress:
            out["seasons"] = [
                {
                    "number": season,
                    "episodes": [
                        {"number": number, "plays": n, "last_watched_at": iso(t)}
                        for number, (n, t) in sorted(seasons[season].items())
                    ],
                }
                for season in sorted(seasons)
                if season > 0 or specials
            ]
        return out

    def order(trakt_id: int) -> tuple[float, int]:
        times = [t for numbers in shows[trakt_id].values() for _, t in numbers.values() if t is not None]
        return -max(times, default=0.0), trakt_id

    visible = [t for t in shows if hidden or t not in account.hidden]
    return [lambda t=trakt_id: row(t) for trakt_id in sorted(visible, key=order)]  # type: ignore[misc] # a default binds the loop's value


def _watched_movies(world: World, account: TraktAccount) -> list[Callable[[], Row]]:
    moment = world.reading_moment
    movies: dict[int, list[float | None]] = {}
    for (kind, trakt_id, _, _), plays in account.by_place.items():
        times = [p.watched_at for p in plays if p.seen_at(moment)]
        if kind == "movie" and times:
            movies[trakt_id] = times

    def row(trakt_id: int) -> Row:
        latest = max((t for t in movies[trakt_id] if t is not None), default=None)
        return {
            "plays": len(movies[trakt_id]),
            "last_watched_at": iso(latest),
            "last_updated_at": iso(latest),
            "movie": movie_row(world.library.catalogue.movies[trakt_id]),
        }

    def order(trakt_id: int) -> tuple[float, int]:
        return -max((t for t in movies[trakt_id] if t is not None), default=0.0), trakt_id

    return [lambda t=trakt_id: row(t) for trakt_id in sorted(movies, key=order)]  # type: ignore[misc] # a default binds the loop's value


def _settings(account: TraktAccount, *, browsing: bool) -> Row:
    out: Row = {
        "user": {
            "username": account.name,
            "private": False,
            "name": account.name.partition("-")[0].title(),
            "vip": account.vip,
            "vip_ep": False,
            "ids": {"slug": account.name, "uuid": account.uuid, "trakt": 4_100_000 + len(account.name)},
            "joined_at": "2015-01-01T00:00:00.000Z",
        },
        "account": {"timezone": account.timezone, "date_format": "dmy", "time_24hr": True, "cover_image": None},
        "permissions": {"commenting": True, "liking": True, "following": True},
        "limits": {
            "list": {"count": 100, "item_count": 1000},
            "watchlist": {"item_count": account.watchlist_limit},
            "favorites": {"item_count": 100},
        },
    }
    if browsing:
        out["browsing"] = {"watch_only_once": account.watch_only_once, "watch_popup_action": "ask"}
    return out
