"""What AniList's queries find: anime, list entries, activities and whole lists, with their filters and orders."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from webapp.simulator.anilist_rows import (
    STATUS_NAMES,
    Context,
    Row,
    activity_row,
    entry_row,
    fail,
    media_row,
    user_row,
)
from webapp.simulator.catalogue import normalised
from webapp.simulator.library import AniListUser, Entry

MAX_PER_CHUNK = 500
MAX_UNCHUNKED = 11_000


def find_user(context: Context, user_id: int | None, name: str | None) -> AniListUser:
    """Raises 404 for an unknown user, and for one who keeps the profile closed, unless it is the viewer."""
    for user in context.world.users.values():
        if user.id == user_id or (user_id is None and name is not None and user.name.casefold() == name.casefold()):
            if user.closed and (context.viewer is None or context.viewer.id != user.id):
                break
            return user
    raise fail(404, "Not Found.")


def entries_of(context: Context, user: AniListUser, args: Row) -> list[Entry]:
    own = context.viewer is not None and context.viewer.id == user.id
    tests: list[Callable[[Entry], bool]] = []
    if not own:
        tests.append(lambda e: not e.private)
    if args.get("status"):
        tests.append(lambda e: e.status == args["status"])
    if args.get("status_in"):
        tests.append(lambda e: e.status in args["status_in"])
    if args.get("status_not_in"):
        tests.append(lambda e: e.status not in args["status_not_in"])
    if args.get("mediaId"):
        tests.append(lambda e: e.media_id == args["mediaId"])
    if args.get("mediaId_in"):
        tests.append(lambda e: e.media_id in args["mediaId_in"])
    if args.get("id"):
        tests.append(lambda e: e.id == args["id"])
    if args.get("type") == "MANGA":
        return []
    rows = [entry for entry in user.entries.values() if all(test(entry) for test in tests)]
    return _sorted_entries(rows, (args.get("sort") or ["UPDATED_TIME_DESC"])[0])


def _sorted_entries(rows: list[Entry], order: str) -> list[Entry]:
    keys: dict[str, Callable[[Entry], Any]] = {
        "MEDIA_ID": lambda e: e.media_id,
        "SCORE": lambda e: e.score,
        "STATUS": lambda e: e.status,
        "PROGRESS": lambda e: e.progress,
        "STARTED_ON": lambda e: [part or 0 for part in e.started],
        "FINISHED_ON": lambda e: [part or 0 for part in e.completed],
        "ADDED_TIME": lambda e: e.id,
        "UPDATED_TIME": lambda e: (e.updated_at, e.id),
    }
    return sorted(rows, key=keys[order.removesuffix("_DESC")], reverse=order.endswith("_DESC"))


def read_media(context: Context, args: Row) -> list[Row | None]:
    media = context.world.library.media
    ids: Iterable[int] = media
    if args.get("id_in") is not None:
        ids = [i for i in sorted(set(args["id_in"])) if i in media]
    if args.get("id") is not None:
        ids = [i for i in ids if i == args["id"]]
    if args.get("idMal_in") is not None:
        ids = [i for i in ids if media[i]["idMal"] in args["idMal_in"]]
    if args.get("idMal") is not None:
        ids = [i for i in ids if media[i]["idMal"] == args["idMal"]]
    if args.get("format"):
        ids = [i for i in ids if media[i]["format"] == args["format"]]
    if args.get("search"):
        words = normalised(args["search"])
        ids = [i for i in ids if any(words in normalised(t) for t in media[i]["title"].values() if t)]
    if args.get("type") == "MANGA":
        ids = []
    return [media_row(context, i) for i in ids]


def read_entries(context: Context, args: Row) -> list[Row]:
    if args.get("userId") is None and args.get("userName") is None:
        raise fail(400, "validation: userId or userName is needed")
    user = find_user(context, args.get("userId"), args.get("userName"))
    return [entry_row(context, user, entry) for entry in entries_of(context, user, args)]


def read_activities(context: Context, args: Row) -> list[Row]:
    if args.get("userId") is not None:
        find_user(context, args["userId"], None)
    rows = [a for a in context.world.activities if args.get("userId") in (None, a.user_id)]
    hidden = {
        (user.id, e.media_id)
        for user in context.world.users.values()
        if context.viewer is None or context.viewer.id != user.id
        for e in user.entries.values()
        if e.private
    }
    rows = [a for a in rows if (a.user_id, a.media_id) not in hidden]
    kinds = args.get("type_in") or ([args["type"]] if args.get("type") else None)
    if kinds:
        wanted = {"ANIME_LIST"} if "MEDIA_LIST" in kinds else set()
        rows = [a for a in rows if a.kind in wanted.union(kinds)]
    if args.get("mediaId") is not None:
        rows = [a for a in rows if a.media_id == args["mediaId"]]
    if args.get("id") is not None:
        rows = [a for a in rows if a.id == args["id"]]
    if args.get("id_in") is not None:
        rows = [a for a in rows if a.id in args["id_in"]]
    if args.get("createdAt_greater") is not None:
        rows = [a for a in rows if a.created_at > args["createdAt_greater"]]
    if args.get("createdAt_lesser") is not None:
        rows = [a for a in rows if a.created_at < args["createdAt_lesser"]]
    newest_first = "ID_DESC" in (args.get("sort") or [])
    rows.sort(key=lambda a: a.id, reverse=newest_first)
    return [activity_row(context, a) for a in rows]


def read_collection(context: Context, args: Row) -> Row:
    """Lists of one user: an entry stands in its status list and in each of its custom lists; hidden ones only there."""
    if args.get("userId") is None and args.get("userName") is None:
        raise fail(400, "validation: userId or userName is needed")
    if not args.get("type"):
        raise fail(400, "validation: type is needed")
    user = find_user(context, args.get("userId"), args.get("userName"))
    entries = entries_of(context, user, args)
    has_next = False
    if args.get("chunk") is not None or args.get("perChunk") is not None:
        most = min(context.world.settings.anilist_chunk, MAX_PER_CHUNK)
        size = max(1, min(args.get("perChunk") or most, most))
        chunk = max(1, args.get("chunk") or 1)
        if context.back and chunk > 1:
            chunk -= 1
        has_next = chunk * size < len(entries)
        entries = entries[(chunk - 1) * size : chunk * size]
    else:
        entries = entries[:MAX_UNCHUNKED]
    return {
        "lists": _groups(context, user, entries),
        "user": user_row(context, user),
        "hasNextChunk": has_next,
    }


def _groups(context: Context, user: AniListUser, entries: Sequence[Entry]) -> list[Row]:
    lists: dict[tuple[str, str | None], list[Row]] = {}
    for entry in entries:
        row = entry_row(context, user, entry)
        if not entry.hidden:
            lists.setdefault((STATUS_NAMES[entry.status], entry.status), []).append(row)
        for name in entry.custom_lists:
            lists.setdefault((name, None), []).append(row)
    return [
        {
            "name": name,
            "status": status,
            "isCustomList": status is None,
            "isSplitCompletedList": False,
            "entries": rows,
        }
        for (name, status), rows in lists.items()
    ]
