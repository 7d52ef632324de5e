"""What a person pastes to name a show, a movie or an anime: an id, a slug or an address of five services. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final, Literal
from urllib.parse import urlsplit

Service = Literal["trakt", "tmdb", "tvdb", "imdb", "anilist"]
MAX_ID: Final = 2**53
LONGEST: Final = 500
_PREFIXED = re.compile(r"(trakt|tmdb|tvdb|imdb|anilist)\s*[:#]?\s*(\S+)", re.I)
_SLUG = re.compile(r"[a-z0-9][a-z0-9-]{0,150}")
_HOSTS: Final = {
    "trakt.tv": "trakt", "app.trakt.tv": "trakt", "themoviedb.org": "tmdb", "thetvdb.com": "tvdb", "imdb.com": "imdb",
    "anilist.co": "anilist",
}  # fmt: skip
_KINDS: Final = {"shows": "show", "show": "show", "tv": "show", "series": "show", "movies": "movie", "movie": "movie"}


@dataclass(frozen=True, slots=True)
class Reference:
    """`value` is an id, or a slug of Trakt. `kind` None: not said, both are asked for."""

    service: Service
    value: str
    kind: Literal["show", "movie"] | None = None


def parse(text: str) -> Reference | None:
    """What `text` names, or None where it is a title to search for. Raises ValueError for an address that names nothing."""
    text = text.strip()[:LONGEST]
    if re.match(r"https?://|www\.", text, re.I) or re.match(r"[\w.-]+\.(tv|org|com|co)/", text, re.I):
        return _address(text if "://" in text else f"https://{text}")
    if match := re.fullmatch(r"tt\d{5,12}", text):
        return Reference("imdb", match[0])
    if re.fullmatch(r"\d{1,16}", text):
        return _number("trakt", text)
    if (match := re.fullmatch(_PREFIXED, text)) and (found := _named(match[1].lower(), match[2])):
        return found
    return None


def _named(service: str, value: str) -> Reference | None:
    if service == "imdb":
        return Reference("imdb", value) if re.fullmatch(r"tt\d{5,12}", value) else None
    if value.isdecimal():
        return _number(service, value)
    return Reference("trakt", value) if service == "trakt" and _SLUG.fullmatch(value) else None


def _number(service: str, value: str, kind: str | None = None) -> Reference:
    if not value.isascii() or not 0 < int(value) <= MAX_ID:
        raise ValueError(value)
    return Reference(service, str(int(value)), kind)  # type: ignore[arg-type]  # words of the tables above


def _address(text: str) -> Reference:
    try:
        parts = urlsplit(text)
        host = (parts.hostname or "").removeprefix("www.")
    except ValueError:
        raise ValueError(text) from None
    service = _HOSTS.get(host)
    path = [part for part in parts.path.split("/") if part]
    if service == "imdb" and len(path) > 1 and path[0] == "title" and re.fullmatch(r"tt\d{5,12}", path[1]):
        return Reference("imdb", path[1])
    if service == "anilist" and len(path) > 1 and path[0] == "anime" and path[1].isdecimal():
        return _number("anilist", path[1])
    if service == "tvdb" and len(path) > 2 and path[0] == "dereferrer" and path[2].isdecimal():
        return _number("tvdb", path[2], _KINDS.get(path[1]))
    if service in ("trakt", "tmdb") and len(path) > 1 and path[0] in _KINDS:
        kind = _KINDS[path[0]]
        digits = re.match(r"\d{1,16}", path[1])
        if service == "tmdb" and digits:
            return _number("tmdb", digits[0], kind)
        if service == "trakt" and _SLUG.fullmatch(path[1]):
            return Reference("trakt", path[1], kind)  # type: ignore[arg-type]  # a word of the table
    raise ValueError(text)
