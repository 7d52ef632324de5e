"""Anime-Lists: an XML file that says where the episodes of an AniDB anime stand on TVDB and TMDB.

Source: https://github.com/Anime-Lists/anime-lists (its wiki describes the attributes). Read as a stream, with
entities and DTDs refused.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from xml.etree.ElementTree import Element, ParseError

from defusedxml import DefusedXmlException
from defusedxml.ElementTree import iterparse

from jobs.mapping.rows import AnidbRow, AnidbRule, Side
from jobs.mapping.values import (
    MAX_SMALL,
    UnusableFile,
    identifier,
    identifiers,
    imdb_ids,
    refuse_web_page,
    season_text,
    small,
)
from jobs.said import said

DEEPEST = 50  # elements; a real one has 4
LONGEST_NAME = 500
_PAIR = re.compile(r"(\d{1,5})-(\d{1,5}(?:\+\d{1,5})*)", re.ASCII)


def read(path: Path) -> Iterator[AnidbRow | None]:
    """Every `<anime>`; None for one without an AniDB id.

    Raises `UnusableFile` for anything that is not one whole XML file with the root `anime-list`.
    """
    refuse_web_page(path)
    try:
        with path.open("rb") as file:
            yield from _elements(file)
    except ParseError as error:
        raise UnusableFile(said("The file is damaged or cut off (%(why)s).", why=str(error))) from None
    except (DefusedXmlException, UnicodeError, ValueError, LookupError) as error:  # the last: an encoding nobody knows
        raise UnusableFile(
            said("The file is not the XML that is expected (%(why)s).", why=type(error).__name__)
        ) from None


def _elements(file: Any) -> Iterator[AnidbRow | None]:
    root: Element | None = None
    depth = 0
    for event, element in iterparse(file, events=("start", "end"), forbid_dtd=True):
        if root is None:
            root = element
            if element.tag != "anime-list":
                raise UnusableFile(said("The file is not a list of Anime-Lists: its root is not anime-list."))
        if event == "start":
            depth += 1
            if depth > DEEPEST:
                raise UnusableFile(said("The file is nested more than %(most)s elements deep.", most=DEEPEST))
            continue
        depth -= 1
        if depth == 1:
            if element.tag == "anime":
                yield _row(element)
            root.clear()  # keeps memory flat, whatever else stands beside the anime


def _row(element: Element) -> AnidbRow | None:
    anidb_id = identifier(element.get("anidbid"))
    if anidb_id is None:
        return None
    tvdb = (element.get("tvdbid") or "").strip()
    tvdb_id = identifier(tvdb)
    return AnidbRow(
        anidb_id=anidb_id,
        name=(element.findtext("name") or "").strip()[:LONGEST_NAME],
        tvdb_id=tvdb_id,
        tvdb_kind=tvdb.lower()[:64] if tvdb and tvdb_id is None else None,
        tvdb_season=season_text(element.get("defaulttvdbseason")),
        tvdb_offset=small(element.get("episodeoffset"), low=-MAX_SMALL),
        tmdb_show_id=identifier(element.get("tmdbtv")),
        tmdb_season=season_text(element.get("tmdbseason")),
        tmdb_offset=small(element.get("tmdboffset"), low=-MAX_SMALL),
        tmdb_movie_ids=identifiers(element.get("tmdbid")),
        imdb_ids=imdb_ids(element.get("imdbid")),
        rules=tuple(rule for mapping in element.iterfind("mapping-list/mapping") for rule in _rules(mapping)),
    )


def _rules(mapping: Element) -> Iterator[AnidbRule]:
    """One rule for each side that the mapping names; one with both `tvdbseason` and `tmdbseason` gives two."""
    anidb_season = small(mapping.get("anidbseason"))
    if anidb_season is None:
        return
    pairs = tuple(_pairs(mapping.text or ""))
    sides: tuple[Side, Side] = ("tvdb", "tmdb")
    for side in sides:
        season = small(mapping.get(f"{side}season"))
        if season is None:
            continue
        yield AnidbRule(
            anidb_season=anidb_season,
            side=side,
            season=season,
            start=small(mapping.get("start")),
            end=small(mapping.get("end")),
            offset=small(mapping.get("offset"), low=-MAX_SMALL) or 0,
            pairs=pairs,
        )


def _pairs(text: str) -> Iterator[tuple[int, tuple[int, ...]]]:
    """ ";1-4;5-2+3;" -> (1, (4,)), (5, (2, 3)); parts that are no pair are left out."""
    for part in text.split(";"):
        if match := _PAIR.fullmatch(part.strip()):
            yield int(match[1]), tuple(int(number) for number in match[2].split("+"))
