"""AniList's JSON -> records. Tolerates every null that AniList is known to send; anything else is named in `BadData`."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, Literal

from jobs.errors import BadData
from jobs.records import Activity, ListEntry, MediaInfo, PartialDate
from jobs.said import Said, said

LARGEST_ID = 2**53
_RANGE = re.compile(r"\s*(\d{1,6})(?:\s*-\s*(\d{1,6}))?\s*")


@dataclass(frozen=True, slots=True)
class Viewer:
    """An AniList account. `timezone` is an offset such as "-08:00", only told to its owner."""

    account_id: str
    name: str
    timezone: str | None
    title_language: Literal["romaji", "english", "native"]
    list_activity_disabled: list[str]  # list statuses whose changes leave no activity


def _bad(what: Said) -> BadData:
    return BadData(said("AniList answered %(what)s", what=what), service="anilist")


def mapping(value: Any, what: str) -> Mapping[str, Any]:
    """An object. Raises BadData naming `what` otherwise."""
    if not isinstance(value, dict):
        raise _bad(said("without %(what)s", what=what))
    return value


def rows(value: Any, what: str) -> list[Any]:
    """A list without its nulls; null counts as empty. Raises BadData otherwise."""
    if value is None:
        return []
    if not isinstance(value, list):
        raise _bad(said("without a list of %(what)s", what=what))
    return [row for row in value if row is not None]


def _id(value: Any, what: str) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value < LARGEST_ID:
        raise _bad(said("%(what)s with the id %(id)s", what=what, id=repr(str(value)[:30])))
    return value


def _whole(value: Any) -> int | None:
    """A whole number above zero, or None."""
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 < value < LARGEST_ID else None


def _text(value: Any) -> str | None:
    return value.replace("\x00", "") or None if isinstance(value, str) else None


def _time(value: Any) -> datetime | None:
    """Unix seconds; 0 and null mean unset."""
    seconds = _whole(value)
    return datetime.fromtimestamp(seconds, UTC) if seconds and seconds < 32_503_680_000 else None


def partial_date(value: Any) -> PartialDate:
    """`{"year", "month", "day"}`, any of them null."""
    if not isinstance(value, dict):
        return PartialDate()
    year, month, day = (_whole(value.get(part)) for part in ("year", "month", "day"))
    if not year or year > 9999:
        return PartialDate()
    if not month or month > 12:
        return PartialDate(year)
    return PartialDate(year, month, day if day and day <= 31 else None)


def viewer(value: Any) -> Viewer:
    user = mapping(value, "an account")
    options = user.get("options") or {}
    language = str(options.get("titleLanguage") or "ROMAJI").removesuffix("_STYLISED").lower()
    return Viewer(
        account_id=str(_id(user.get("id"), "an account")),
        name=_text(user.get("name")) or "",
        timezone=_text(options.get("timezone")),
        title_language="english" if language == "english" else "native" if language == "native" else "romaji",
        list_activity_disabled=[
            str(row.get("type"))
            for row in rows(options.get("disabledListActivity"), "activity settings")
            if isinstance(row, dict) and row.get("disabled")
        ],
    )


def media(value: Any) -> MediaInfo:
    row = mapping(value, "a title")
    title, cover = row.get("title") or {}, row.get("coverImage") or {}
    airing = row.get("nextAiringEpisode") or {}
    return MediaInfo(
        anilist_id=_id(row.get("id"), "a title"),
        mal_id=_whole(row.get("idMal")),
        format=_text(row.get("format")),
        status=_text(row.get("status")),
        episodes=_whole(row.get("episodes")),
        duration=_whole(row.get("duration")),
        season_year=_whole(row.get("seasonYear")),
        start_date=partial_date(row.get("startDate")),
        end_date=partial_date(row.get("endDate")),
        romaji=_text(title.get("romaji")),
        english=_text(title.get("english")),
        native=_text(title.get("native")),
        synonyms=tuple(text for name in rows(row.get("synonyms"), "synonyms") if (text := _text(name))),
        is_adult=bool(row.get("isAdult")),
        cover_url=_text(cover.get("large")),
        cover_color=_text(cover.get("color")),
        next_episode=_whole(airing.get("episode")),
        next_airing_at=_time(airing.get("airingAt")),
    )


def entry(value: Any, *, custom_list: str | None = None) -> ListEntry | None:
    """One row of a list; None for a row whose title AniList has taken away."""
    row = mapping(value, "a list entry")
    list_entry_id = _id(row.get("id"), "a list entry")
    if row.get("media") is None:
        return None
    status = _text(row.get("status"))
    if status is None:
        raise _bad(said("list entry %(id)s without a status", id=str(list_entry_id)))
    return ListEntry(
        media=media(row["media"]),
        list_entry_id=list_entry_id,
        status=status,
        progress=_whole(row.get("progress")) or 0,
        repeat=_whole(row.get("repeat")) or 0,
        score=_score(row.get("score")),
        private=bool(row.get("private")),
        hidden=bool(row.get("hiddenFromStatusLists")),
        custom_lists=_custom_lists(row.get("customLists"), custom_list),
        started=partial_date(row.get("startedAt")),
        completed=partial_date(row.get("completedAt")),
        created_at=_time(row.get("createdAt")),
        updated_at=_time(row.get("updatedAt")),
    )


def _score(value: Any) -> int:
    """0 to 100; what is none of these counts as no score."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value <= 100:
        return 0
    return int(value + 0.5)


def _custom_lists(value: Any, of_group: str | None) -> tuple[str, ...]:
    """AniList sends `{"name": true}`, or `[{"name", "enabled"}]`, or null."""
    names = [of_group] if of_group else []
    if isinstance(value, dict):
        names += [str(name) for name, on in value.items() if on]
    elif isinstance(value, list):
        names += [str(row.get("name")) for row in value if isinstance(row, dict) and row.get("enabled")]
    return tuple(sorted(set(names)))


def entries(values: Iterable[Any]) -> list[ListEntry]:
    return [found for value in values if (found := entry(value)) is not None]


def collection(data: Mapping[str, Any], known: dict[int, ListEntry]) -> tuple[set[int], bool]:
    """Merge one chunk into `known` (by list entry id); returns the ids that it held, and whether more follow.

    An entry appears once per list that it belongs to; hidden ones stand in custom lists only.
    """
    chunk = mapping(data.get("MediaListCollection"), "the list")
    seen = set()
    for group in rows(chunk.get("lists"), "lists"):
        group = mapping(group, "a list")
        name = _text(group.get("name")) if group.get("isCustomList") else None
        for value in rows(group.get("entries"), "entries"):
            row = entry(value, custom_list=name)
            if row is None:
                continue
            seen.add(row.list_entry_id)
            if before := known.get(row.list_entry_id):
                lists = tuple(sorted({*before.custom_lists, *row.custom_lists}))
                row = replace(row, custom_lists=lists, hidden=row.hidden or before.hidden)
            known[row.list_entry_id] = row
    return seen, bool(chunk.get("hasNextChunk"))


def activities(values: Iterable[Any]) -> list[Activity]:
    """List activities; text and message activities come as empty objects and are left out."""
    found = []
    for value in values:
        row = mapping(value, "an activity")
        created, title = _time(row.get("createdAt")), row.get("media")
        if not row.get("id") or created is None or not isinstance(title, dict):
            continue
        first, last = episode_range(row.get("progress"))
        found.append(
            Activity(
                activity_id=_id(row.get("id"), "an activity"),
                anilist_id=_id(title.get("id"), "an activity of a title"),
                status=_text(row.get("status")) or "",
                first=first,
                last=last,
                created_at=created,
                episodes=_whole(title.get("episodes")),
            )
        )
    return found


def episode_range(progress: Any) -> tuple[int | None, int | None]:
    """`"3"` -> (3, 3), `"3 - 5"` -> (3, 5), null or anything else -> (None, None)."""
    match = _RANGE.fullmatch(progress) if isinstance(progress, str) else None
    if not match:
        return None, None
    first = int(match[1])
    last = int(match[2]) if match[2] else first
    return min(first, last), max(first, last)
