"""What titles and spans of episodes are called."""

from __future__ import annotations

from collections.abc import Iterable

from webapp.here import reader
from webapp.models import Media

TITLES = {"romaji": "title_romaji", "english": "title_english", "native": "title_native"}


def title(media: Media | None, language: str | None = None) -> str:
    """In the language that the person chose on AniList, else in one that there is."""
    if media is None:
        return "?"
    column = TITLES.get(str(language or getattr(reader(), "title_language", "")), "")
    found = getattr(media, column, None) or media.title_romaji or media.title_english or media.title_native
    return found or f"AniList {media.anilist_id}"


def ranges(numbers: Iterable[int]) -> str:
    """[1, 2, 3, 7] -> "1-3, 7"."""
    parts: list[list[int]] = []
    for one in sorted(set(numbers)):
        if parts and one == parts[-1][1] + 1:
            parts[-1][1] = one
        else:
            parts.append([one, one])
    return ", ".join(str(a) if a == b else f"{a}-{b}" for a, b in parts)


def span(first: int, last: int) -> str:
    return str(first) if first == last else f"{first}-{last}"
