"""A whole run in one process, with AniList and Trakt in memory: the stage of `test_sync*.py`, and what can be seen of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select, update

from jobs import pictures, planning, refresh, single, sync, tools
from jobs.storing import get_setting, put_setting
from tests.jobs.sync_fakes import (
    FakeAniList,
    FakePlacing,
    FakeTrakt,
    connect,
    make_run,
    run_row,
)
from webapp import runs
from webapp.database import transaction
from webapp.extensions import db
from webapp.models import (
    Run,
    RunItem,
    SyncProgress,
    TraktPicture,
    User,
    utcnow,
)


@dataclass
class World:
    """One person with both services connected."""

    user: User
    anilist: FakeAniList = field(default_factory=FakeAniList)
    trakt: FakeTrakt = field(default_factory=FakeTrakt)
    placing: FakePlacing = field(default_factory=FakePlacing)

    def run(self, **values: Any) -> Run:
        """Start a run and let it work until it ends or waits."""
        run_id = make_run(self.user, **values)
        return self.go_on(run_id)

    def go_on(self, run_id: int) -> Run:
        with transaction() as session:
            session.execute(update(Run).where(Run.id == run_id).values(resume_at=utcnow()))
        sync.run(run_id)
        return run_row(run_id)

    def approve(self, run_id: int, entries: list[int] | None = None) -> Run:
        db.session.rollback()
        runs.approve(run_id, self.user.id, entries)
        return self.go_on(run_id)

    def read_back(self) -> None:
        """The reading that follows a run which posted, some minutes later."""
        self.trakt.moved_at = utcnow() - timedelta(minutes=5)
        with transaction() as session:
            session.execute(update(TraktPicture).values(read_again_at=utcnow()))
            (picture_id,) = session.scalars(select(TraktPicture.id)).all()
        pictures.read_back(picture_id)

    @property
    def asked(self) -> list[str]:
        return self.anilist.asked + self.trakt.asked

    def forget_requests(self) -> None:
        self.anilist.asked.clear()
        self.trakt.asked.clear()

    @property
    def plays(self) -> set[tuple[int, int, int]]:
        assert len({(p.trakt_id, p.season, p.number) for p in self.trakt.history}) == len(self.trakt.history)
        return {(play.trakt_id, play.season, play.number) for play in self.trakt.history}


def small_world(user: User, monkeypatch: pytest.MonkeyPatch) -> World:
    """A person connected to an AniList and a Trakt in memory, and what places titles too."""
    connect(user)
    world = World(user)

    def counting(client: Any) -> Any:
        def make(_user_id: int, *, count: Any, **_check: Any) -> Any:
            client.count = count
            return client

        return make

    monkeypatch.setattr(tools, "anilist_for", counting(world.anilist))
    monkeypatch.setattr(tools, "trakt_for", counting(world.trakt))
    monkeypatch.setattr(tools, "trakt_public", lambda _user_id, **_count: None)
    monkeypatch.setattr(pictures, "trakt_for", lambda _user_id: world.trakt)
    monkeypatch.setattr(planning, "place_entries", world.placing.place_entries)
    monkeypatch.setattr(planning, "stored_placement", world.placing.stored_placement)
    monkeypatch.setattr(single, "place_entries", world.placing.place_entries)
    monkeypatch.setattr(refresh, "empty_sources", list)
    return world


def items(run: Run) -> dict[int, RunItem]:
    with transaction(readonly=True) as session:
        rows = session.scalars(select(RunItem).where(RunItem.run_id == run.id)).all()
    return {row.anilist_id: row for row in rows}


def progress(world: World) -> dict[int, int]:
    with transaction(readonly=True) as session:
        rows = session.scalars(select(SyncProgress).where(SyncProgress.user_id == world.user.id)).all()
    return {row.anilist_id: row.last_abs for row in rows}


def timestamp(world: World) -> str | None:
    with transaction(readonly=True) as session:
        return get_setting(session, world.user.id, "lastSyncTimestamp")


def set_timestamp(world: World, value: str) -> None:
    with transaction() as session:
        put_setting(session, world.user.id, "lastSyncTimestamp", value)


def consented(world: World) -> None:
    with transaction() as session:
        session.execute(update(User).values(hand_consent_at=utcnow()))
