"""Every GraphQL query that we send to AniList. A test validates each of them against AniList's schema.

Reference: https://docs.anilist.co/reference/query
"""

from __future__ import annotations

PER_PAGE = 50  # AniList clamps higher values
PER_CHUNK = 500

_MEDIA = """
fragment media on Media {
  id idMal format status episodes duration seasonYear isAdult synonyms
  startDate { year month day } endDate { year month day }
  title { romaji english native }
  coverImage { large color }
  nextAiringEpisode { airingAt episode }
}"""

_ENTRY = """
fragment entry on MediaList {
  id mediaId status progress repeat score(format: POINT_100) private hiddenFromStatusLists customLists
  startedAt { year month day } completedAt { year month day } updatedAt createdAt
  media { ...media }
}"""

_USER = """
fragment user on User {
  id name options { titleLanguage timezone disabledListActivity { disabled type } }
}"""

_ACTIVITY = """
fragment activity on ListActivity { id status progress createdAt media { id episodes } }"""

VIEWER = "query { Viewer { ...user } }" + _USER

USER = "query ($name: String) { User(name: $name) { ...user } }" + _USER

WHOLE_LIST = (
    """
query ($user: Int, $chunk: Int, $perChunk: Int) {
  MediaListCollection(userId: $user, type: ANIME, chunk: $chunk, perChunk: $perChunk, forceSingleCompletedList: true) {
    hasNextChunk
    lists { name isCustomList entries { ...entry } }
  }
}"""
    + _ENTRY
    + _MEDIA
)

ACTIVITIES = (
    """
query ($user: Int, $page: Int, $since: Int, $sort: [ActivitySort]) {
  Page(page: $page, perPage: 50) {
    pageInfo { hasNextPage }
    activities(userId: $user, type: ANIME_LIST, createdAt_greater: $since, sort: $sort) { ...activity }
  }
}"""
    + _ACTIVITY
)

CHANGED = (
    """
query ($user: Int, $page: Int) {
  Page(page: $page, perPage: 50) {
    pageInfo { hasNextPage }
    mediaList(userId: $user, type: ANIME, sort: [UPDATED_TIME_DESC]) { ...entry }
  }
}"""
    + _ENTRY
    + _MEDIA
)

ENTRY = (
    """
query ($user: Int, $media: Int) {
  Page(page: 1, perPage: 1) { mediaList(userId: $user, mediaId: $media, type: ANIME) { ...entry } }
}"""
    + _ENTRY
    + _MEDIA
)

MEDIA = (
    """
query ($ids: [Int]) { Page(page: 1, perPage: 50) { media(id_in: $ids, type: ANIME) { ...media } } }"""
    + _MEDIA
)


def changes(*, viewer: bool, media: bool) -> str:
    """Everything that a run without news needs, in one request: who we are, new activities, changed entries, titles."""
    return (
        "query ($user: Int, $since: Int"
        + (", $ids: [Int]" if media else "")
        + ") {"
        + (" Viewer { ...user }" if viewer else "")
        + """
  activities: Page(page: 1, perPage: 50) {
    pageInfo { hasNextPage }
    activities(userId: $user, type: ANIME_LIST, createdAt_greater: $since, sort: [ID]) { ...activity }
  }
  entries: Page(page: 1, perPage: 50) {
    pageInfo { hasNextPage }
    mediaList(userId: $user, type: ANIME, sort: [UPDATED_TIME_DESC]) { ...entry }
  }"""
        + (" media: Page(page: 1, perPage: 50) { media(id_in: $ids, type: ANIME) { ...media } }" if media else "")
        + "\n}"
        + (_USER if viewer else "")
        + _ACTIVITY
        + _ENTRY
        + _MEDIA
    )


ALL: dict[str, str] = {
    "viewer": VIEWER,
    "user": USER,
    "whole_list": WHOLE_LIST,
    "activities": ACTIVITIES,
    "changed": CHANGED,
    "entry": ENTRY,
    "media": MEDIA,
    **{
        f"changes viewer={viewer} media={media}": changes(viewer=viewer, media=media)
        for viewer in (True, False)
        for media in (True, False)
    },
}
