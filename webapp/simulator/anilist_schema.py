"""How the fields of the schema subset are resolved from the world."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from graphql import (
    FieldNode,
    FragmentSpreadNode,
    GraphQLError,
    GraphQLObjectType,
    GraphQLResolveInfo,
    InlineFragmentNode,
    SelectionSetNode,
    build_schema,
)
from graphql.execution.values import get_argument_values

from webapp.simulator.catalogue import normalised
from webapp.simulator.library import AniListUser, Entry, ListActivity, fuzzy_dict
from webapp.simulator.schema import SDL
from webapp.simulator.world import World

Row = dict[str, Any]
Info = GraphQLResolveInfo[Any]
STATUS_NAMES = {
    "CURRENT": "Watching",
    "COMPLETED": "Completed",
    "PAUSED": "Paused",
    "DROPPED": "Dropped",
    "PLANNING": "Planning",
    "REPEATING": "Rewatching",
}
MAX_PER_PAGE = 50
MAX_PER_CHUNK = 500
MAX_UNCHUNKED = 11_000


@dataclass(frozen=True, slots=True)
class Context:
    """One request: who asks, the simulator's own address, whether a page is to be served a second time."""

    world: World
    viewer: AniListUser | None
    base_url: str
    back: bool = False


def fail(status: int, message: str) -> GraphQLError:
    return GraphQLError(message, extensions={"status": status})


# Objects as mappings that graphql-core's default resolver reads; a callable value is asked when its field is.


def media_row(context: Context, media_id: int) -> Row | None:
    media = context.world.library.media.get(media_id)
    if media is None:
        return None
    cover = f"{context.base_url}/posters/{media_id}.svg"
    return {
        **media,
        "coverImage": {"extraLarge": cover, "large": cover, "medium": cover, "color": media["color"]},
        "nextAiringEpisode": lambda _info: _next_airing(context, media_id),
        "relations": lambda _info: _relations(context, media["relations"]),
        "mediaListEntry": lambda _info: _own_entry(context, media_id),
    }


def _next_airing(context: Context, media_id: int) -> Row | None:
    now = context.world.clock()
    for episode, when in context.world.library.schedules.get(media_id, ()):
        if when > now:
            return {
                "id": media_id * 1000 + episode,
                "airingAt": int(when),
                "timeUntilAiring": int(when - now),
                "episode": episode,
                "mediaId": media_id,
            }
    return None


def _relations(context: Context, related: Sequence[tuple[str, int]]) -> Row:
    edges = [
        {"id": media_id, "relationType": kind, "isMainStudio": False, "node": media_row(context, media_id)}
        for kind, media_id in related
    ]
    return {"edges": edges, "nodes": [edge["node"] for edge in edges], "pageInfo": None}


def _own_entry(context: Context, media_id: int) -> Row | None:
    viewer = context.viewer
    entry = viewer.entries.get(media_id) if viewer else None
    return entry_row(context, viewer, entry) if viewer and entry else None


def entry_row(context: Context, user: AniListUser, entry: Entry) -> Row:
    def score(_info: Info, format: str | None = None) -> float:  # noqa: A002 - AniList's argument
        scale = {"POINT_100": 10.0, "POINT_5": 0.5, "POINT_3": 0.3}.get(format or "", 1.0)
        return entry.score * scale

    def custom_lists(_info: Info, asArray: bool = False) -> object:  # noqa: N803 - AniList's argument
        if asArray:
            return [{"name": name, "enabled": name in entry.custom_lists} for name in user.custom_lists]
        return {name: name in entry.custom_lists for name in user.custom_lists} or None

    return {
        "id": entry.id,
        "userId": user.id,
        "mediaId": entry.media_id,
        "status": entry.status,
        "score": score,
        "progress": entry.progress,
        "progressVolumes": 0,
        "repeat": entry.repeat,
        "priority": 0,
        "private": entry.private,
        "notes": None,
        "hiddenFromStatusLists": entry.hidden,
        "customLists": custom_lists,
        "startedAt": fuzzy_dict(entry.started),
        "completedAt": fuzzy_dict(entry.completed),
        "updatedAt": entry.updated_at,
        "createdAt": entry.created_at,
        "media": lambda _info: media_row(context, entry.media_id),
        "user": lambda _info: user_row(context, user),
    }


def user_row(context: Context, user: AniListUser) -> Row:
    own = context.viewer is not None and context.viewer.id == user.id
    return {
        "id": user.id,
        "name": user.name,
        "avatar": {"large": None, "medium": None},
        "options": {
            "titleLanguage": user.title_language,
            "displayAdultContent": False,
            "airingNotifications": True,
            "profileColor": "blue",
            "timezone": user.offset if own else None,
            "activityMergeTime": user.merge_minutes,
            "disabledListActivity": [
                {"disabled": status in user.disabled_activity, "type": status} for status in STATUS_NAMES
            ],
        },
        "mediaListOptions": {
            "scoreFormat": "POINT_10_DECIMAL",
            "rowOrder": "updatedAt",
            "animeList": {
                "sectionOrder": list(STATUS_NAMES.values()),
                "splitCompletedSectionByFormat": False,
                "customLists": list(user.custom_lists),
                "advancedScoring": [],
                "advancedScoringEnabled": False,
            },
            "mangaList": None,
        },
        "unreadNotificationCount": 0 if own else None,
        "siteUrl": f"https://anilist.co/user/{user.name}",
        "createdAt": 1_300_000_000,
        "updatedAt": 1_700_000_000,
    }


def activity_row(context: Context, activity: ListActivity) -> Row:
    shared = {
        "id": activity.id,
        "userId": activity.user_id,
        "type": activity.kind,
        "replyCount": 0,
        "likeCount": 0,
        "isLocked": False,
        "isPinned": False,
        "siteUrl": f"https://anilist.co/activity/{activity.id}",
        "createdAt": activity.created_at,
        "user": lambda _info: user_row(context, context.world.users[activity.user_id]),
    }
    if activity.kind == "TEXT":
        return {**shared, "__typename": "TextActivity", "text": activity.text}
    return {
        **shared,
        "__typename": "ListActivity",
        "status": activity.status,
        "progress": activity.progress,
        "media": lambda _info: media_row(context, activity.media_id),
    }


# Reads


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
        size = max(1, min(args.get("perChunk") or MAX_PER_CHUNK, MAX_PER_CHUNK))
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


# Page: its data field is read first, wherever it stands, since pageInfo tells whether there is more.

PAGE_READERS: dict[str, Callable[[Context, Row], Sequence[Row | None]]] = {
    "media": read_media,
    "mediaList": read_entries,
    "activities": read_activities,
}


def _fields(info: Info, selections: SelectionSetNode | None) -> Iterable[FieldNode]:
    for node in selections.selections if selections else ():
        if isinstance(node, FieldNode):
            yield node
        elif isinstance(node, InlineFragmentNode):
            yield from _fields(info, node.selection_set)
        elif isinstance(node, FragmentSpreadNode):
            yield from _fields(info, info.fragments[node.name.value].selection_set)


def resolve_page(_root: object, info: Info, page: int = 1, perPage: int = 50) -> Row:  # noqa: N803 - AniList's argument
    context: Context = info.context
    page_type = info.schema.type_map["Page"]
    assert isinstance(page_type, GraphQLObjectType)
    wanted = [node for part in info.field_nodes for node in _fields(info, part.selection_set)]
    data = [node for node in wanted if node.name.value in PAGE_READERS]
    if len(data) > 1:
        raise fail(400, "A Page takes one field besides pageInfo.")
    size, number = max(1, min(perPage or MAX_PER_PAGE, MAX_PER_PAGE)), max(1, page or 1)
    shown = number - 1 if context.back and number > 1 else number
    rows: Sequence[Row | None] = ()
    out: Row = {}
    for node in data:
        name = node.name.value
        args = get_argument_values(page_type.fields[name], node, info.variable_values)
        rows = PAGE_READERS[name](context, args)
        out[name] = rows[(shown - 1) * size : shown * size]
    out["pageInfo"] = {
        # AniList's totals are wrong; only hasNextPage can be trusted.
        "total": 5000,
        "perPage": size,
        "currentPage": number,
        "lastPage": 5000 // size,
        "hasNextPage": shown * size < len(rows),
    }
    return out


def _first(rows: Sequence[Row | None]) -> Row | None:
    if not rows:
        raise fail(404, "Not Found.")
    return rows[0]


def _viewer(_root: object, info: Info) -> Row:
    if info.context.viewer is None:
        raise fail(401, "Unauthorized.")
    return user_row(info.context, info.context.viewer)


QUERIES: dict[str, Callable[..., Any]] = {
    "Page": resolve_page,
    "Viewer": _viewer,
    "User": lambda _r, info, id=None, name=None: user_row(info.context, find_user(info.context, id, name)),  # noqa: A006 - AniList's argument
    "Media": lambda _r, info, **args: _first(read_media(info.context, args)),
    "MediaList": lambda _r, info, **args: _first(read_entries(info.context, args)),
    "MediaListCollection": lambda _r, info, **args: read_collection(info.context, args),
}

SCHEMA = build_schema(SDL)
_query = SCHEMA.query_type
assert _query is not None
for _name, _resolve in QUERIES.items():
    _query.fields[_name].resolve = _resolve
