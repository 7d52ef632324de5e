"""What the sources say of an entry, in words for a person. Pure."""

from __future__ import annotations

from jobs.mapping.chain import Link, Saying

NAMES = {"fribbs": "Fribbs", "anime_lists": "Anime-Lists", "otaku": "Otaku"}


def said(link: Link, saying: Saying, *, length: int | None = None) -> str:
    """ "Fribbs says season 2 of TMDB 95479"; for specials "Otaku says specials 3 to 5 of TVDB 83214"."""
    show = link.tmdb_show_id if saying.side == "tmdb" else link.tvdb_id
    whose = f" of {saying.side.upper()} {show}" if show else f" in {saying.side.upper()}'s numbering"
    if saying.season == 0 and any(rule.pairs for rule in saying.rules):
        return f"Anime-Lists names the special of each episode{whose}"
    return f"{NAMES[saying.source]} says {_season(saying, length)}{whose}"


def _season(saying: Saying, length: int | None) -> str:
    first = saying.offset + 1
    if saying.season == 0:
        return f"specials {first} to {first + length - 1}" if length and length > 1 else f"special {first}"
    where = "absolute numbering" if saying.season is None else f"season {saying.season}"
    return f"{where} from episode {first}" if saying.offset else where


def entry(link: Link | None, *, otherwise: str) -> str:
    """ "entry 113415", or `otherwise` where AniList has no number for it."""
    return f"entry {link.key}" if link and link.key > 0 else otherwise
