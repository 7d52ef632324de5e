"""AniList's anime as its GraphQL shows them: one plain mapping per title, keys as in the schema."""

from __future__ import annotations

from typing import Any

from webapp.simulator.library import Fuzzy, fuzzy_dict

DAY = 86_400


def airing_times(born: float, first: int, aired: int, last: int) -> list[tuple[int, float]]:
    """Weekly air times of episodes first..last: those up to `aired` have aired, the next one airs in five days."""
    return [(episode, born + 5 * DAY + 7 * DAY * (episode - aired - 1)) for episode in range(first, last + 1)]


def season_of(start: Fuzzy) -> tuple[str | None, int | None]:
    """(WINTER | SPRING | SUMMER | FALL, year), or nothing where the month is not known."""
    if start[0] is None or start[1] is None:
        return None, start[0]
    return ("WINTER", "SPRING", "SUMMER", "FALL")[(start[1] - 1) // 3], start[0]


def media_dict(
    *,
    anilist_id: int,
    mal_id: int | None,
    format: str | None,  # noqa: A002 - AniList's own name of the field
    status: str,
    episodes: int | None,
    minutes: int | None,
    titles: tuple[str | None, str | None, str | None],
    synonyms: tuple[str, ...] = (),
    start: Fuzzy = (None, None, None),
    end: Fuzzy = (None, None, None),
    color: str | None = None,
) -> dict[str, Any]:
    """One Media. Cover addresses are paths until a request knows the simulator's own address."""
    season, year = season_of(start)
    return {
        "id": anilist_id,
        "idMal": mal_id,
        "title": {"romaji": titles[0], "english": titles[1], "native": titles[2], "userPreferred": titles[0]},
        "type": "ANIME",
        "format": format,
        "status": status,
        "startDate": fuzzy_dict(start),
        "endDate": fuzzy_dict(end),
        "season": season,
        "seasonYear": year,
        "episodes": episodes,
        "duration": minutes,
        "countryOfOrigin": "JP",
        "synonyms": list(synonyms),
        "isAdult": False,
        "siteUrl": f"https://anilist.co/anime/{anilist_id}",
        "color": color,
        "relations": [],
    }
