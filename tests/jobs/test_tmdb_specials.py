"""With a TMDB key its titles and air dates confirm specials of which Trakt says only the number."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest
from flask import Flask

from jobs.errors import ServiceDown
from jobs.placing import PlacingClients, place_entries
from jobs.records import Ids, Kind, Placement, Reason, Refusal, Shape, Slot
from jobs.tmdb_specials import filled
from tests.jobs.mapping.builders import TMDB, TRAKT, day, fribbs, moment, otaku, shape
from tests.jobs.test_placing import World
from webapp.models import User


@dataclass
class FakeTmdb:
    slots: tuple[Slot, ...] | None
    asked: list[tuple[int, int]] = field(default_factory=list)
    down: bool = False

    def external_ids(self, kind: Kind, tmdb_id: int) -> Ids | None:
        return None

    def season(self, tmdb_id: int, n: int) -> tuple[Slot, ...] | None:
        self.asked.append((tmdb_id, n))
        if self.down:
            raise ServiceDown("no answer", service="tmdb")
        return self.slots


@pytest.fixture
def world(app: Flask, user: User) -> World:
    """A show with three specials, of which Trakt says the numbers only, and an OVA that the sources call the second."""
    world = World(user.id)
    world.trakt.shapes[TRAKT] = shape(12, specials=3)
    world.caches(otaku(1, "1"), fribbs(1, 1), otaku(2, "0"), fribbs(2, 0, 1))
    world.entry(1)
    world.entry(2, 1, format="OVA", romaji="The Second", start_date=day(2015, 6, 20), end_date=day(2015, 6, 20))
    return world


def place(world: World, tmdb: FakeTmdb | None) -> Placement | Refusal:
    clients = PlacingClients(world.trakt, lambda _ids: [], tmdb)
    return place_entries(world.user_id, [1, 2], clients)[2]


KNOWN = tuple(Slot(n, first_aired=moment(2015, 6, 10 * n), title=f"Special {n}") for n in (1, 2, 3))


def test_without_a_key_a_bare_number_stays_unconfirmed(world: World) -> None:
    refused = place(world, None)
    assert isinstance(refused, Refusal)
    assert refused.reason is Reason.SPECIAL_UNCONFIRMED


def test_tmdbs_air_date_confirms_the_sources_number(world: World) -> None:
    tmdb = FakeTmdb(KNOWN)
    placed = place(world, tmdb)
    assert isinstance(placed, Placement)
    assert placed.place_of(1) == (0, 2)
    assert tmdb.asked == [(TMDB, 0)]
    again = place(world, FakeTmdb(None))  # kept with the seasons: nobody is asked twice
    assert isinstance(again, Placement)
    assert world.trakt.asked.count(f"seasons {TRAKT}") == 1


def test_tmdb_that_does_not_answer_changes_nothing(world: World) -> None:
    assert isinstance(place(world, FakeTmdb(None, down=True)), Refusal)


def test_tmdb_is_not_asked_for_shows_without_specials_of_the_list(world: World) -> None:
    tmdb = FakeTmdb(KNOWN)
    place_entries(world.user_id, [1], PlacingClients(world.trakt, lambda _ids: [], tmdb))
    assert tmdb.asked == []


def test_what_trakt_says_itself_stays() -> None:
    own = Shape(TRAKT, {0: (Slot(1, first_aired=moment(2015, 1, 1), title="Trakt's"), Slot(2), Slot(9))})
    tmdb = FakeTmdb(KNOWN)
    first, second, other = filled(own, TMDB, tmdb).seasons[0]
    assert (first.title, first.first_aired) == ("Trakt's", moment(2015, 1, 1))
    assert (second.title, second.first_aired, other) == ("Special 2", moment(2015, 6, 20), Slot(9))
    whole = Shape(TRAKT, {0: (first,)})
    assert filled(whole, TMDB, tmdb) is whole
    assert filled(own, None, tmdb) is own
    assert len(tmdb.asked) == 1
