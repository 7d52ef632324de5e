"""`/_sim/...`: how tests, the demo and a person turn the world. The package's docstring lists the requests."""

from __future__ import annotations

import base64
from collections import defaultdict
from dataclasses import asdict, fields, replace
from datetime import datetime
from typing import Any

from flask import Blueprint, Response, abort, request

from webapp.simulator import constants
from webapp.simulator.catalogue import iso
from webapp.simulator.faults import Fault
from webapp.simulator.library import AniListUser
from webapp.simulator.marks import GROUPS, MOVES, Target
from webapp.simulator.trakt_rows import json_answer
from webapp.simulator.world import Settings, TraktAccount, World

Row = dict[str, Any]


def blueprint(world: World) -> Blueprint:
    """All requests below `/_sim`; bad input is a 400 that says why."""
    api = Blueprint("control", __name__, url_prefix="/_sim")

    @api.errorhandler(ValueError)
    @api.errorhandler(TypeError)
    @api.errorhandler(KeyError)
    def refuse(error: Exception) -> Response:
        return json_answer({"error": f"{type(error).__name__}: {error}"}, 400)

    _add_reads(api, world)
    _add_settings(api, world)
    _add_people(api, world)
    _add_trouble(api, world)
    return api


def _body() -> Row:
    body = request.get_json(silent=True)
    if body is None:
        body = {}
    if not isinstance(body, dict):
        abort(400)
    return body


def _user(world: World, name: str | None) -> AniListUser:
    wanted = name or constants.ANILIST_USER_NAME
    return next(user for user in world.users.values() if user.name == wanted)


def _account(world: World, name: str | None) -> TraktAccount:
    return world.accounts[name or constants.TRAKT_ACCOUNT]


def _moment(value: object) -> float | None:
    """Epoch seconds, an ISO time, or None for a play without a date."""
    if value is None or isinstance(value, int | float):
        return value
    return datetime.fromisoformat(str(value)).timestamp()


def history(account: TraktAccount) -> list[Row]:
    """Living plays, oldest row first: {id, kind, trakt_id, season, number, watched_at, action, inserted_at}."""
    return [
        {
            "id": play.id,
            "kind": play.kind,
            "trakt_id": play.trakt_id,
            "season": play.season,
            "number": play.number,
            "watched_at": iso(play.watched_at),
            "action": play.action,
            "inserted_at": iso(play.inserted_at),
        }
        for play in account.plays.values()
        if play.removed_at is None
    ]


def marks(account: TraktAccount) -> list[Row]:
    """Living ratings, watchlist items and dropped shows: {kind, target, trakt_id, season, number, value}."""
    names = ("target", "trakt_id", "season", "number")
    return [
        {"kind": mark.kind, **dict(zip(names, mark.target, strict=True)), "value": mark.value}
        for kind in MOVES
        for mark in account.marks.living(kind)
    ]


def _target(spec: Row) -> Target:
    if spec["target"] not in GROUPS or spec["kind"] not in MOVES:
        raise ValueError("no such mark")
    return spec["target"], int(spec["trakt_id"]), int(spec.get("season", 0)), int(spec.get("number", 0))


def _add_reads(api: Blueprint, world: World) -> None:
    @api.get("/health")
    def health() -> Response:
        return json_answer(
            {"ok": True, "library": world.library.name, "entries": sum(len(u.entries) for u in world.users.values())}
        )

    @api.get("/history")
    def living_plays() -> Response:
        return json_answer(history(_account(world, request.args.get("account"))))

    @api.get("/state")
    def state() -> Response:
        return json_answer(
            {
                "library": world.library.name,
                "born": world.born,
                "settings": asdict(world.settings),
                "faults": [asdict(fault) for fault in world.faults],
                "users": {
                    u.name: {"id": u.id, "entries": [asdict(e) for e in u.entries.values()]}
                    for u in world.users.values()
                },
                "accounts": {name: {"history": history(a), "trouble": a.trouble} for name, a in world.accounts.items()},
            }
        )

    @api.get("/requests")
    def requests_seen() -> Response:
        services: dict[str, Row] = defaultdict(lambda: {"total": 0, "paths": {}})
        for (service, path), count in world.counts.items():
            services[service]["total"] += count
            services[service]["paths"][path] = count
        return json_answer(services)

    @api.post("/requests/reset")
    def forget_requests() -> Response:
        world.counts.clear()
        return json_answer({"ok": True})

    @api.get("/expected")
    def expected() -> Response:
        statuses = {e.media_id: e.status for e in world.library.users[0].entries.values()}
        names = ("anilist_id", "episode", "kind", "trakt_id", "season", "number")
        rows = [
            dict(zip(names, play, strict=True)) | {"status": statuses.get(play[0])}
            for play in sorted(world.library.expected)
        ]
        return json_answer({"plays": rows, "count": len(rows)})


def _add_settings(api: Blueprint, world: World) -> None:
    @api.post("/reset")
    def reset() -> Response:
        world.reset()
        return json_answer({"ok": True})

    @api.get("/settings")
    def settings() -> Response:
        return json_answer(asdict(world.settings))

    @api.post("/settings")
    def change_settings() -> Response:
        body = _body()
        unknown = set(body) - {f.name for f in fields(Settings)}
        if unknown:
            raise ValueError(f"no such setting: {', '.join(sorted(unknown))}")
        world.settings = replace(world.settings, **body)
        return json_answer(asdict(world.settings))


def _add_people(api: Blueprint, world: World) -> None:
    @api.post("/entries")
    def entries() -> Response:
        body = _body()
        user, media_id = _user(world, body.get("user")), int(body["media_id"])
        if body.get("remove"):
            user.entries.pop(media_id, None)
            world.dirty = True
            return json_answer({"ok": True})
        entry = world.edit_entry(user, media_id, body.get("changes", {}))
        if activity := body.get("activity"):
            world.add_activity(user, media_id, activity["status"], activity.get("progress"), activity.get("created_at"))
        return json_answer(asdict(entry))

    @api.post("/viewer")
    def viewer() -> Response:
        body = _body()
        user, new = _user(world, body.get("user")), int(body["id"])
        old = user.id
        for activity in world.activities:
            activity.user_id = new if activity.user_id == old else activity.user_id
        world.anilist_tokens = {
            token: (new if owner == old else owner, expires) for token, (owner, expires) in world.anilist_tokens.items()
        }
        del world.users[old]
        user.id = new
        world.users[new] = user
        return json_answer({"id": new})

    @api.post("/plays")
    def change_plays() -> Response:
        body = _body()
        account = _account(world, body.get("account"))
        added = [
            world.add_play(
                account,
                (spec["kind"], int(spec["trakt_id"]), int(spec.get("season", 0)), int(spec.get("number", 0))),
                _moment(spec.get("watched_at", world.clock())),
                spec.get("action", "scrobble"),
            ).id
            for spec in body.get("add", ())
        ]
        victims = [account.plays[int(history_id)] for history_id in body.get("remove", ())]
        for spec in body.get("remove_places", ()):
            place = (spec["kind"], int(spec["trakt_id"]), int(spec.get("season", 0)), int(spec.get("number", 0)))
            victims += account.living(place)
        removed = world.remove_plays(account, victims)
        return json_answer({"added": added, "removed": sum(removed.values())})

    @api.get("/marks")
    def living_marks() -> Response:
        account = _account(world, request.args.get("account"))
        return json_answer([asdict(mark) for mark in account.marks.rows] if "ever" in request.args else marks(account))

    @api.post("/marks")
    def change_marks() -> Response:
        body = _body()
        account, now = _account(world, body.get("account")), world.clock()
        for spec in body.get("add", ()):
            account.marks.put(spec["kind"], _target(spec), spec.get("value"), now, now)
        removed = [account.marks.remove(spec["kind"], _target(spec), now) for spec in body.get("remove", ())]
        world.dirty = True
        return json_answer({"removed": sum(removed)})

    @api.post("/episodes")
    def episodes() -> Response:
        world.list_episode(_body())
        return json_answer({"ok": True})

    @api.post("/account")
    def account() -> Response:
        body = _body()
        chosen = _account(world, body.pop("account", None))
        for name, value in body.items():
            if name == "hidden":
                chosen.hidden = {int(trakt_id) for trakt_id in value}
            elif name == "reset_at":
                chosen.reset_at = {int(t): _moment(when) or 0.0 for t, when in value.items()}
            elif name in ("trouble", "watch_only_once", "vip", "timezone", "uuid", "watchlist_limit"):
                setattr(chosen, name, value)
            else:
                raise ValueError(f"an account has no {name}")
        return json_answer({"ok": True})


def _add_trouble(api: Blueprint, world: World) -> None:
    @api.get("/faults")
    def waiting() -> Response:
        return json_answer([asdict(fault) for fault in world.faults])

    @api.post("/faults")
    def add_faults() -> Response:
        body = request.get_json(silent=True)
        for spec in body if isinstance(body, list) else [body or {}]:
            world.faults.append(Fault.parse(spec))
        return json_answer({"waiting": len(world.faults)})

    @api.delete("/faults")
    def clear_faults() -> Response:
        world.faults.clear()
        return json_answer({"ok": True})

    @api.post("/tokens")
    def tokens() -> Response:
        body = _body()
        if body.get("expire") in ("trakt", "all"):
            world.access_tokens = {token: (name, 0.0) for token, (name, _) in world.access_tokens.items()}
        if body.get("forget_refresh"):
            world.refresh_tokens.clear()
        if body.get("expire") in ("anilist", "all"):
            world.anilist_tokens = {token: (user, 0.0) for token, (user, _) in world.anilist_tokens.items()}
        return json_answer({"access": len(world.access_tokens), "refresh": len(world.refresh_tokens)})

    @api.post("/app")
    def app_state() -> Response:
        state = _body().get("state", "ok")
        world.refused_apps = {} if state == "ok" else {constants.TRAKT_CLIENT_ID: str(state)}
        return json_answer({"state": state})

    @api.post("/files")
    def files() -> Response:
        body = _body()
        name = body["name"]
        if name not in world.library.files:
            raise ValueError(f"no such file: {name}")
        whole = world.library.files[name]()
        kinds = {
            "html": b"<!DOCTYPE html><html><body>Not found</body></html>",
            "truncated": whole[: len(whole) // 2],
            "empty": b"",
        }
        if body.get("as") == "real":
            world.file_overrides.pop(name, None)
        elif body.get("as") in kinds:
            world.file_overrides[name] = kinds[body["as"]]
        else:
            world.file_overrides[name] = base64.b64decode(body["base64"])
        world.file_times[name] = world.clock()
        return json_answer({"bytes": len(world.file_overrides.get(name, whole))})
