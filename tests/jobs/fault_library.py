"""What the fault test syncs: three titles of the demo, eight plays wanted, one of them on Trakt already."""

from __future__ import annotations

import copy
import pickle
from dataclasses import replace
from functools import cache

from webapp.simulator import constants
from webapp.simulator.catalogue import Catalogue, Kind
from webapp.simulator.demo import demo_library
from webapp.simulator.library import Library, SeedPlay

Place = tuple[Kind, int, int, int]
BEBOP, HAIKYUU, AKIRA = 1, 21698, 47  # AniList ids
LIST = {BEBOP: ("CURRENT", 3), HAIKYUU: ("PAUSED", 4), AKIRA: ("COMPLETED", 1)}
WANTED: frozenset[Place] = frozenset(
    {
        *(("episode", 30857, 1, number) for number in (1, 2, 3)),
        *(("episode", 60417, 3, number) for number in (1, 2, 3, 4)),
        ("movie", 115, 0, 0),
    }
)
SEEDS: tuple[Place, ...] = (
    ("episode", 30857, 1, 1),  # wanted, and there already
    ("episode", 30857, 0, 1),
    ("episode", 13855, 1, 1),
    ("episode", 60947, 1, 1),
    ("movie", 97, 0, 0),
    ("movie", 224301, 0, 0),
    ("movie", 225063, 0, 0),
)


@cache
def _demo() -> Library:
    return demo_library(1_790_000_000.0)


@cache
def _shows() -> bytes:
    """The shows of these places, to be unpacked anew for each test: some tests take episodes out of them."""
    wanted = {trakt_id for kind, trakt_id, _, _ in (*WANTED, *SEEDS) if kind == "episode"}
    return pickle.dumps([_demo().catalogue.shows[trakt_id] for trakt_id in sorted(wanted)])


def small_library(born: float) -> Library:
    """Three entries of the demo, and seven plays on Trakt."""
    demo = _demo()
    owner = copy.copy(demo.users[0])
    owner.entries = {
        anilist_id: replace(demo.users[0].entries[anilist_id], status=status, progress=progress)
        for anilist_id, (status, progress) in LIST.items()
    }
    movies = {trakt_id for kind, trakt_id, _, _ in (*WANTED, *SEEDS) if kind == "movie"}
    return replace(
        demo,
        users=[owner],
        activities=[copy.copy(row) for row in demo.activities if row.media_id in LIST],
        catalogue=Catalogue(
            pickle.loads(_shows()),  # noqa: S301 - our own, of a moment ago
            [demo.catalogue.movies[trakt_id] for trakt_id in sorted(movies)],
        ),
        seeds={
            constants.TRAKT_ACCOUNT: [
                SeedPlay(kind, trakt_id, season, number, 1_700_000_000.0 + 60 * position)
                for position, (kind, trakt_id, season, number) in enumerate(SEEDS)
            ]
        },
    )
