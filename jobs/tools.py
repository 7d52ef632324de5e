"""The clients of one run, built once, counting their requests."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from jobs.clients import anilist_for, tmdb, trakt_for, trakt_public
from jobs.errors import AppRefused, Reconnect
from jobs.placing import PlacingClients
from jobs.records import Shape, Slot
from jobs.runstate import RunContext
from jobs.said import said
from jobs.storing import moment
from webapp.database import transaction
from webapp.models import TraktShow

if TYPE_CHECKING:
    from jobs.sources.anilist import AniList
    from jobs.targets.trakt import Trakt


@dataclass(frozen=True, slots=True)
class Tools:
    """What a run talks with. `trakt` is None in a preview of somebody who is not signed in to Trakt."""

    anilist: AniList
    trakt: Trakt | None
    placing: PlacingClients

    @property
    def writer(self) -> Trakt:
        """The Trakt client of a run that posts. Raises `Reconnect` without a connection."""
        if self.trakt is None:
            raise Reconnect("trakt", said("Trakt is not connected."))
        return self.trakt


def tools_for(ctx: RunContext) -> Tools:
    """The clients of a run. Raises `Reconnect` when Trakt is not connected and the run is no preview."""
    count = ctx.progress.count
    anilist = anilist_for(ctx.user_id, count=count, check=ctx.check)
    trakt = _trakt(ctx)
    placing = PlacingClients(public=trakt_public(ctx.user_id, count=count), media=anilist.media, tmdb=tmdb(count=count))
    return Tools(anilist, trakt, placing)


def _trakt(ctx: RunContext) -> Trakt | None:
    try:
        return trakt_for(ctx.user_id, count=ctx.progress.count)
    except (AppRefused, Reconnect):
        if ctx.preview or ctx.mode == "single":
            return None
        raise


class Shapes(Mapping[int, Shape]):
    """Stored seasons of Trakt shows by id, read when they are asked for."""

    def __init__(self) -> None:
        self._known: dict[int, Shape | None] = {}

    def __getitem__(self, trakt_id: int) -> Shape:
        if trakt_id not in self._known:
            with transaction(readonly=True) as session:
                row = session.get(TraktShow, trakt_id, populate_existing=True)
            self._known[trakt_id] = shape_of(row) if row is not None and not row.missing else None
        shape = self._known[trakt_id]
        if shape is None:
            raise KeyError(trakt_id)
        return shape

    def __iter__(self) -> Iterator[int]:
        return (trakt_id for trakt_id, shape in self._known.items() if shape is not None)

    def __len__(self) -> int:
        return sum(1 for _ in self)


def shape_of(row: TraktShow) -> Shape:
    """A stored show as the record that placement and dates take."""
    seasons: dict[str, list[list[Any]]] = row.seasons or {}
    return Shape(
        trakt_id=row.trakt_id,
        seasons={
            int(number): tuple(
                Slot(episode, episode_id, moment(aired), title, runtime)
                for episode, episode_id, aired, title, runtime in slots
            )
            for number, slots in seasons.items()
        },
        ended=row.ended,
        title=row.title,
    )
