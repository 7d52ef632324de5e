"""AniList's objects as mappings: what users, anime, list entries and activities look like to one viewer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from graphql import GraphQLError, GraphQLResolveInfo

from webapp.simulator.library import AniListUser, Entry, ListActivity, fuzzy_dict
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
