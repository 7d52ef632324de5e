"""Titles and air dates of specials from TMDB, where Trakt has none and a key is set.

Trakt numbers season 0 as TMDB does, so what TMDB says of its special 7 holds for Trakt's special 7; what Trakt says itself
stays. They are kept with the seasons that they belong to, and so are as old as those.
"""

from __future__ import annotations

import logging
from dataclasses import replace
from typing import Protocol

from jobs.errors import TsuzukiError
from jobs.records import Shape, Slot

LOGGER = logging.getLogger(__name__)


class SpecialsOfTmdb(Protocol):
    """What is asked of `jobs.targets.tmdb.Tmdb`."""

    def season(self, tmdb_id: int, n: int) -> tuple[Slot, ...] | None: ...


def filled(shape: Shape, tmdb_id: int | None, tmdb: SpecialsOfTmdb | None) -> Shape:
    """`shape` with what TMDB adds to its season 0. One request, and none when Trakt says all there is to say.

    TMDB is an extra: when it does not answer, Trakt's words stand alone and the log says so.
    """
    specials = shape.seasons.get(0, ())
    if tmdb is None or tmdb_id is None or all(slot.title and slot.first_aired for slot in specials):
        return shape
    try:
        known = {slot.number: slot for slot in tmdb.season(tmdb_id, 0) or ()}
    except TsuzukiError as error:
        LOGGER.warning("TMDB could not be asked for the specials of show %s: %s", tmdb_id, error.detail)
        return shape
    return replace(shape, seasons={**shape.seasons, 0: tuple(_both(slot, known.get(slot.number)) for slot in specials)})


def _both(slot: Slot, other: Slot | None) -> Slot:
    if other is None:
        return slot
    return replace(
        slot,
        title=slot.title or other.title,
        first_aired=slot.first_aired or other.first_aired,
        runtime=slot.runtime or other.runtime,
    )
