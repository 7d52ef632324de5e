"""Whatever happens, and in whatever order: each watched episode is on Trakt once.

A machine of hypothesis changes the list, the placements and Trakt itself, loses answers, and lets workers die between any two
steps of planner, ledger and Trakt. The invariant holds after every step; after a run that ends well each episode has
exactly the plays it should, and a run with no change posts nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import datetime
from typing import Any
from unittest import mock

import pytest
from flask import Flask
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from sqlalchemy import delete, update

from jobs import ledger, ledger_moves, ledger_people, ledger_rows, posting
from jobs.errors import Waits
from jobs.planner import plan
from jobs.posting import post_plan
from jobs.records import ListEntry, Placement, Refusal, Span
from jobs.settle import settle
from jobs.undo import run_move, run_undo
from tests.fakes import FakeClock, FakeRun, FakeTrakt, Place
from tests.jobs.plays import connect, entry, inputs, movie, new_run, rows, show
from webapp.config import Config, _database_url
from webapp.database import transaction
from webapp.extensions import db
from webapp.models import PlayRow, Run, SystemConfig, User

TITLES = (1, 2, 3)
LENGTH = 5
DEATHS = st.lists(st.integers(0, 40), max_size=3)
REMOVAL_FAULTS: st.SearchStrategy[list[str]] = st.lists(st.sampled_from(["ok", "lost", "dropped"]), max_size=4)
FAULTS = ("lost", "late", "dropped", "half", "html", "ok")
POST_FAULTS = st.lists(st.sampled_from(FAULTS), min_size=1, max_size=4)
PLACEMENTS = ((1, 1), (1, 2), (2, 1), (3, 3))  # (season, start)
# What a scrobbler adds while a run is at work: at the so-many-th step, an episode of a title.
SCROBBLES = st.lists(st.tuples(st.integers(1, 30), st.sampled_from([1, 2]), st.integers(1, 7)), max_size=2)


class Died(Exception):
    """The worker was killed here."""


class Fuse:
    """Kills the worker when it has burnt down; every step of a run burns one of it."""

    left: int | None = None

    def burn(self, _name: str = "") -> None:
        if self.left is not None:
            self.left -= 1
            if self.left < 0:
                self.left = None
                raise Died


FUSE = Fuse()


class Machine(RuleBasedStateMachine):
    """One person, three titles of five episodes (the third a movie), one Trakt account."""

    user_id: int

    @initialize(
        lag=st.sampled_from([25, 5, 0]),
        deaths=DEATHS,
        faults=POST_FAULTS,
        first=st.tuples(*[st.integers(1, LENGTH)] * 3),
    )
    def begin(self, lag: float, deaths: list[int], faults: list[str], first: tuple[int, int, int]) -> None:
        db.session.rollback()
        with transaction() as session:
            session.execute(delete(PlayRow))
            session.execute(delete(Run))
            session.execute(delete(SystemConfig))
        FUSE.left = None
        self.clock = FakeClock()
        self.trakt = FakeTrakt(self.clock, lag=lag, step=self.step)
        self.progress = dict(zip(TITLES, (first[0], first[1], 1), strict=True))
        self.status = dict.fromkeys(TITLES, "CURRENT")
        self.off_the_list: set[int] = set()
        self.scrobbles: dict[int, tuple[int, int]] = {}
        self.taken_by_person: set[int] = set()
        self.places = {1: (1, 1), 2: (2, 1)}
        self.stays_away: dict[tuple[int, int], tuple[Place, datetime]] = {}
        self.ever_removed: set[tuple[int, int]] = set()
        self.finished: list[int] = []
        self.sync(deaths, faults)

    def step(self, name: str) -> None:
        self.clock.move(1)
        self.scrobbles = {left - 1: what for left, what in self.scrobbles.items()}
        if scrobbled := self.scrobbles.pop(0, None):
            self.trakt.add(("episode", 900 + scrobbled[0], 1, scrobbled[1]), self.clock.now)
        FUSE.burn(name)

    def placements(self) -> dict[int, Placement | Refusal]:
        found: dict[int, Placement | Refusal] = {3: movie(3, 50)}
        for title, (season, start) in self.places.items():
            placed = show(title, 900 + title)
            object.__setattr__(placed, "spans", (Span(1, LENGTH, season, start),))
            found[title] = placed
        return found

    def entries(self) -> list[ListEntry]:
        return [
            entry(title, self.status[title], done, episodes=1 if title == 3 else LENGTH, updated_at=self.clock.now)
            for title, done in self.progress.items()
            if title not in self.off_the_list
        ]

    def seen(self, title: int) -> int:
        """How many episodes of a title are to be on Trakt."""
        if title in self.off_the_list or (not self.progress[title] and self.status[title] != "REPEATING"):
            return 0
        whole = 1 if title == 3 else LENGTH
        return whole if self.status[title] in ("COMPLETED", "REPEATING") else self.progress[title]

    # what changes outside

    @rule(title=st.sampled_from(TITLES), progress=st.integers(0, LENGTH))
    def watch(self, title: int, progress: int) -> None:
        self.progress[title] = min(progress, 1) if title == 3 else progress

    @rule(title=st.sampled_from(TITLES), status=st.sampled_from(["CURRENT", "COMPLETED", "REPEATING", "PAUSED"]))
    def change_status(self, title: int, status: str) -> None:
        self.status[title] = status

    @rule(title=st.sampled_from(TITLES))
    def leave_the_list_or_come_back(self, title: int) -> None:
        self.off_the_list ^= {title}

    @rule(title=st.sampled_from([1, 2]), place=st.sampled_from(PLACEMENTS))
    def place_differently(self, title: int, place: tuple[int, int]) -> None:
        self.places[title] = place

    @rule(title=st.sampled_from([1, 2]), season=st.integers(1, 3), number=st.integers(1, 7))
    def person_adds(self, title: int, season: int, number: int) -> None:
        self.trakt.add(("episode", 900 + title, season, number), self.clock.now)

    @precondition(lambda _: any(row.state == "sent" for row in rows()))
    @rule(data=st.data())
    def person_removes(self, data: st.DataObject) -> None:
        ours = [row for row in rows() if row.state == "sent"]
        row = data.draw(st.sampled_from(ours))
        place = row.kind, row.trakt_id, row.season, row.number
        self.taken_by_person |= {e.history_id for e in self.trakt.events if e.place == place and e.removed is None}
        self.trakt.take_away(place)
        self.stays_away[row.anilist_id, row.episode] = place, self.clock.now
        self.ever_removed.add((row.anilist_id, row.episode))
        self.clock.move(2 * 3600)

    @rule(seconds=st.sampled_from([10, 300, 7200]))
    def time_passes(self, seconds: float) -> None:
        self.clock.move(seconds)

    # what we do

    @rule(deaths=DEATHS, faults=POST_FAULTS, scrobbles=SCROBBLES)
    def sync(self, deaths: list[int], faults: list[str], scrobbles: Sequence[tuple[int, int, int]] = ()) -> None:
        self.trakt.faults = list(faults)
        self.scrobbles = {after: (title, number) for after, title, number in scrobbles}
        run_id = self.drive("full", self.attempt_sync, deaths)
        self.finished.append(run_id)

    @rule(after=st.integers(0, 60), faults=POST_FAULTS)
    def a_run_dies_for_good(self, after: int, faults: list[str]) -> None:
        """Nobody takes it over: the next run finds what it left behind."""
        self.trakt.faults = list(faults)
        ctx = new_run(self.user_id)
        FUSE.left = after
        with suppress(Died, Waits):
            self.attempt_sync(ctx)
        FUSE.left = None
        self.end(ctx.run_id, "failed")
        self.clock.move(300)

    @precondition(lambda self: self.finished)
    @rule(data=st.data(), deaths=DEATHS, removals=REMOVAL_FAULTS)
    def undo(self, data: st.DataObject, deaths: list[int], removals: list[str]) -> None:
        self.trakt.removal_faults = list(removals)
        parent = data.draw(st.sampled_from(self.finished))
        self.clock.move(300)
        self.drive("undo", lambda ctx: run_undo(ctx, self.trakt, clock=self.clock), deaths, parent_id=parent)
        left = {row.id: row for row in rows(run_id=parent)}
        assert not any(
            row.state in ("sent", "removing") for row in left.values() if row.replaces is None and row.reason != "moved"
        )

    @rule(
        title=st.sampled_from([1, 2]),
        place=st.sampled_from(PLACEMENTS),
        deaths=DEATHS,
        faults=POST_FAULTS,
        removals=REMOVAL_FAULTS,
    )
    def move(
        self, title: int, place: tuple[int, int], deaths: list[int], faults: list[str], removals: list[str]
    ) -> None:
        self.places[title] = place
        self.trakt.faults, self.trakt.removal_faults = list(faults), list(removals)

        def attempt(ctx: FakeRun) -> None:
            run_move(ctx, self.trakt, placements=self.placements(), clock=self.clock)

        self.clock.move(300)
        self.let_back(1, 2)  # a place that was emptied may be right for another episode now
        self.drive("move", attempt, deaths, options={"entries": [1, 2]})
        assert not any(row.state == "removing" and row.reason == "moved" for row in rows())

    @precondition(lambda _: any(row.held and row.state in ledger.HELD_STATES for row in rows()))
    @rule(title=st.sampled_from(TITLES))
    def send_again(self, title: int) -> None:
        ledger.send_again(self.user_id, anilist_id=title, at=self.clock.now)
        self.let_back(title)

    def let_back(self, *titles: int) -> None:
        self.stays_away = {key: value for key, value in self.stays_away.items() if key[0] not in titles}

    def drive(self, mode: str, attempt: Any, deaths: list[int], **values: Any) -> int:
        """A run until it ends well: parked, killed and taken over as often as it takes."""
        ctx = new_run(self.user_id, mode, **values)
        fates = list(deaths)
        for _ in range(60):
            FUSE.left = fates.pop(0) if fates else None
            try:
                attempt(ctx)
            except Waits as wait:
                self.clock.move(wait.seconds)
            except Died:
                self.clock.move(200)
            else:
                FUSE.left = None
                self.end(ctx.run_id, "succeeded")
                return ctx.run_id
            ctx = FakeRun(ctx.run_id, ctx.user_id, ctx.attempt + 1)
            with transaction() as session:
                session.execute(
                    update(Run).where(Run.id == ctx.run_id).values(attempt=ctx.attempt, batch_deadline=None)
                )
        raise AssertionError("this run never ends")

    def end(self, run_id: int, status: str) -> None:
        with transaction() as session:
            session.execute(update(Run).where(Run.id == run_id).values(status=status))

    def attempt_sync(self, ctx: FakeRun) -> None:
        settle(ctx, self.trakt, clock=self.clock)
        seen = self.trakt.picture("trakt-uuid")
        ledger.reconcile(self.user_id, seen, self.clock.now, approved=True, ctx=ctx)
        made = plan(
            inputs(
                *self.entries(),
                placements=self.placements(),
                mode="full",
                ledger=ledger.rows_for(self.user_id, "trakt-uuid"),
                now=self.clock.now,
                trakt=seen,
            )
        )
        assert post_plan(ctx, self.trakt, made.plays, seen, clock=self.clock).stop is None

    # what must be true

    @invariant()
    def nothing_of_ours_is_there_twice(self) -> None:
        counted: dict[Place, int] = {}
        for event in getattr(self, "trakt", FakeTrakt(FakeClock())).events:
            if event.by == "us" and event.removed is None:
                counted[event.place] = counted.get(event.place, 0) + 1
        assert all(number == 1 for number in counted.values()), counted

    @invariant()
    def what_a_person_removed_stays_away(self) -> None:
        for place, since in getattr(self, "stays_away", {}).values():
            assert not [e for e in self.trakt.events if e.by == "us" and e.place == place and e.added > since]

    @invariant()
    def what_others_added_is_never_removed(self) -> None:
        removed = {
            e.history_id for e in getattr(self, "trakt", FakeTrakt(FakeClock())).events if e.by != "us" and e.removed
        }
        assert removed <= getattr(self, "taken_by_person", set())

    def teardown(self) -> None:
        if hasattr(self, "trakt"):
            self.after_a_good_run_everything_is_right()

    @rule()
    def after_a_good_run_everything_is_right(self) -> None:
        FUSE.left = None
        self.scrobbles = {}
        self.trakt.faults, self.trakt.removal_faults = [], []
        self.clock.move(2 * 3600)
        self.drive("full", self.attempt_sync, [])
        self.clock.move(2 * 3600)
        there, found = self.trakt.plays(), ledger.rows_for(self.user_id, "trakt-uuid")
        made = plan(
            inputs(
                *self.entries(), placements=self.placements(), mode="full", ledger=found, now=self.clock.now,
                trakt=self.trakt.picture("trakt-uuid"),
            )
        )  # fmt: skip
        assert made.plays == ()
        waits = {item.anilist_id for item in made.items if item.outcome in ("misplaced", "waiting")}
        held = {(row.anilist_id, row.episode) for row in found if row.held and row.state in ledger.HELD_STATES}
        emptied = {row.place for row in found if row.held and row.state in ("gone", "removed")}
        for row in found:
            if row.state == "sent":
                assert there.get(row.place), row
            if row.state == "gone":
                assert (row.anilist_id, row.episode) in self.ever_removed
        for title, placement in self.placements().items():
            assert isinstance(placement, Placement)
            for episode in range(1, self.seen(title) + 1):
                place: Place = ("movie", 50, 0, 0)
                if placement.kind == "show":
                    place = ("episode", placement.trakt_id, *(placement.place_of(episode) or (0, 0)))
                if title not in waits and (title, episode) not in held and place not in emptied:
                    assert there.get(place), (title, episode, place)
        posts = len(self.trakt.posts)
        self.drive("full", self.attempt_sync, [])
        assert len(self.trakt.posts) == posts


@contextmanager
def step(**how: Any) -> Iterator[Any]:
    """Every transaction is a place to die: before it begins, and after it is committed."""
    FUSE.burn()
    with transaction(**how) as session:
        yield session
    FUSE.burn()


@pytest.fixture
def config(config: Config, database_url: str) -> Config:
    return config.replace(DATABASE_URL=_database_url(database_url))


@pytest.fixture
def mortal(app: Flask, user: User) -> Iterator[None]:
    connect(user)
    Machine.user_id = user.id
    FUSE.left = None
    with (
        mock.patch.object(ledger, "transaction", step),
        mock.patch.object(ledger_rows, "transaction", step),
        mock.patch.object(ledger_people, "transaction", step),
        mock.patch.object(ledger_moves, "transaction", step),
        mock.patch.object(posting, "transaction", step),
    ):
        yield


def test_each_watched_episode_arrives_exactly_once_whatever_happens(mortal: None) -> None:
    # a failure is not shrunk: that takes minutes here, and the printed steps say enough
    few = settings(
        phases=[Phase.explicit, Phase.reuse, Phase.generate],
        max_examples=40,
        stateful_step_count=12,
        deadline=None,
        suppress_health_check=list(HealthCheck),
        print_blob=True,
    )
    run_state_machine_as_test(Machine, settings=few)
