"""The stage of the fault test: a list of three titles, the simulator behind real sockets, and one person's instance.

Only waiting is not real: pauses between tries are counted instead of slept, and an hour passes by moving the stored
times back. Everything else (requests, deadlines, tables, ledger) is what runs in production.
"""

from __future__ import annotations

import json
import sqlite3
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import delete, select, update

from jobs import clients, pace, refresh, sync
from jobs.accounts import WHOLE_LIST
from jobs.posting import BATCH_KEY
from jobs.targets.trakt import Trakt
from jobs.transport import Transport
from tests.jobs.fault_library import SEEDS, WANTED, Place, small_library
from tests.jobs.listener import Listener, Ticker
from tests.jobs.sync_fakes import make_run, run_row
from webapp import runs, tokens, words
from webapp.app import create_app
from webapp.config import load
from webapp.database import transaction
from webapp.extensions import db
from webapp.grants import Service, Tokens
from webapp.models import (
    Connection,
    Entry,
    Log,
    Mapping,
    PlayRow,
    Run,
    SystemConfig,
    TraktPicture,
    TraktShow,
    User,
    utcnow,
)
from webapp.simulator import constants
from webapp.simulator.app import create_simulator
from webapp.simulator.faults import Fault
from webapp.simulator.process import environment
from webapp.simulator.world import World


@dataclass
class Stage:
    """One person, three services, and what a test may do to them."""

    app: Flask
    world: World
    listeners: dict[str, Listener]
    ahead: list[float]  # seconds that the services' clock is ahead of ours
    user: User
    ticker: Ticker
    before_post: list[Callable[[], None]] = field(default_factory=list)
    forgotten: bool = False  # some places are not listed any more

    # what goes wrong

    def break_(self, **fault: Any) -> None:
        with self.world.lock:
            self.world.faults.append(Fault.parse(fault))

    def refuse(self, service: str) -> None:
        self.listeners[service].down()

    def unlist(self, place: Place) -> None:
        """Trakt forgets an episode, season, show or movie between our look at it and our request."""
        self.forgotten = True
        kind, trakt_id, season, number = place
        catalogue = self.world.library.catalogue
        if kind == "movie":
            del catalogue._movie_ids["trakt", str(trakt_id)]
        elif not season:
            del catalogue._show_ids["trakt", str(trakt_id)]
        elif not number:
            del catalogue.shows[trakt_id].seasons[season]
        else:
            del catalogue.shows[trakt_id].seasons[season][number]

    def small_pages(self) -> None:
        """Every list comes in several parts."""
        self.world.settings.trakt_page = self.world.settings.anilist_chunk = 2

    def forget_places(self) -> None:
        """Nothing is known yet of what Trakt lists: all places are looked up anew."""
        with transaction() as session:
            session.execute(delete(TraktShow))
            session.execute(delete(Mapping))
            session.execute(update(Entry).values(placed_at=None, changed_at=utcnow()))

    def token_ends(self, left: timedelta) -> None:
        """Our Trakt token has so long to live; one that has expired is not known to Trakt any more either."""
        with transaction() as session:
            session.execute(update(Connection).where(Connection.service == "trakt").values(expires_at=utcnow() + left))
        if left < timedelta(0):
            self.world.access_tokens.clear()

    # what makes it good again

    def mend(self, *, but_once: bool = False) -> None:
        """All services are themselves again; `but_once`: after their faults have shown once more."""
        with self.world.lock:
            for fault in self.world.faults:
                fault.nth = fault.count = 1
            if not but_once:
                self.world.faults.clear()
            self.world.refused_apps.clear()
            self.world.accounts[constants.TRAKT_ACCOUNT].trouble = ""
            if self.forgotten:
                self.world.library = small_library(self.world.born)
        self.before_post.clear()
        for listener in self.listeners.values():
            listener.up()

    def sign_in(self, service: Service) -> None:
        if service == "anilist":
            tokens.store(self.user.id, service, Tokens(constants.ANILIST_ACCESS_TOKEN))
            return
        with self.world.lock:
            new = self.world.issue_tokens(constants.TRAKT_ACCOUNT)
        tokens.store(self.user.id, service, Tokens(new["access_token"], new["refresh_token"]))

    def goes_on(self, run: Run) -> Run:
        """Its time comes, and the tick wakes it: everything that happened so far is that much longer ago."""
        shift = max(moment_of(run.resume_at) - utcnow(), timedelta(0)) + timedelta(seconds=1)
        self.ahead[0] += shift.total_seconds()
        self.ticker.now += shift.total_seconds()
        with transaction() as session:
            session.execute(update(Run).where(Run.status == "waiting").values(resume_at=utcnow()))
            for play in session.scalars(select(PlayRow).execution_options(populate_existing=True)):
                play.absent_since = play.absent_since - shift if play.absent_since else None
                play.claimed_at = play.claimed_at - shift if play.claimed_at else None
            for connection in session.scalars(select(Connection).where(Connection.refreshing_until.is_not(None))):
                connection.refreshing_until = moment_of(connection.refreshing_until) - shift
            for row in session.scalars(select(SystemConfig).where(SystemConfig.key == BATCH_KEY)):
                size, failures, failed_at = json.loads(row.value)
                row.value = json.dumps([size, failures, failed_at - shift.total_seconds()])
        return self.work(run.id)

    # what we do, and what came of it

    def run(self, **values: Any) -> Run:
        run_id = make_run(self.user, **values)
        return self.work(run_id)

    def work(self, run_id: int) -> Run:
        sync.run(run_id)
        return run_row(run_id)

    def cancel(self, run: Run) -> None:
        db.session.rollback()
        runs.cancel(run.id, self.user.id)

    def send_again(self) -> Run:
        """The person has looked where the refused plays of the one title go, and says so."""
        with transaction(readonly=True) as session:
            (anilist_id,) = set(session.scalars(select(PlayRow.anilist_id).where(PlayRow.state == "rejected")))
        db.session.rollback()
        return self.work(runs.send_again(self.user.id, anilist_id=anilist_id).run.id)

    def history(self) -> Counter[Place]:
        """Plays on Trakt, without those that stood there before and are not on the list."""
        with self.world.lock:
            living = Counter(
                play.place
                for play in self.world.accounts[constants.TRAKT_ACCOUNT].plays.values()
                if play.removed_at is None
            )
        return Counter({place: plays for place, plays in living.items() if place in WANTED or place not in SEEDS})

    def requests(self, service: str, method: str, path: str) -> int:
        """How many requests came to addresses that begin so; refused connections are none."""
        with self.world.lock:
            return sum(
                count
                for (name, asked), count in self.world.counts.items()
                if name == service and asked.startswith(f"{method} {path}")
            )

    def ledger(self) -> Counter[str]:
        """How many plays are in each state."""
        with transaction(readonly=True) as session:
            return Counter(session.scalars(select(PlayRow.state)))

    def state_of(self, service: str) -> tuple[str, str | None]:
        with transaction(readonly=True) as session:
            row = session.execute(
                select(Connection.state, Connection.state_reason).where(Connection.service == service)
            ).one()
        return row.state, row.state_reason

    def said(self, run: Run) -> str:
        with self.app.test_request_context():
            return words.run_sentence(run)

    def only_english(self) -> list[str]:
        """Lines of the log, and details of runs, of which a translation knows nothing."""
        with transaction(readonly=True) as session:
            rows = [
                *session.execute(select(Log.message, Log.said)),
                *session.execute(select(Run.detail, Run.detail_said)),
            ]
        return [message for message, said in rows if message and (said is None or "%(text)s" in json.dumps(said))]

    def log(self, run: Run) -> str:
        with transaction(readonly=True) as session:
            return "\n".join(session.scalars(select(Log.message).where(Log.run_id == run.id).order_by(Log.id)))


@dataclass
class Theatre:
    """What all tests of a module share: the simulator's sockets and an instance with filled caches."""

    app: Flask
    world: World
    listeners: dict[str, Listener]
    ahead: list[float]
    file: Path
    filled: sqlite3.Connection

    @contextmanager
    def stage(self, monkeypatch: pytest.MonkeyPatch, **settings: Any) -> Iterator[Stage]:
        """A new beginning: the instance as it was when its caches were filled, the services as they were born."""
        db.session.remove()
        db.engine.dispose()
        with sqlite3.connect(self.file) as database:
            self.filled.backup(database)
        database.close()
        self.ahead[0] = 0.0
        self.world.reset()
        before = self.app.config["TSUZUKI"]
        self.app.config["TSUZUKI"] = before.replace(**settings)
        with transaction(readonly=True) as session:
            user = session.scalars(select(User)).one()
        stage = Stage(self.app, self.world, self.listeners, self.ahead, user, Ticker())
        _only_waiting_is_not_real(stage, monkeypatch)
        try:
            yield stage
        finally:
            stage.mend()
            self.app.config["TSUZUKI"] = before


def _only_waiting_is_not_real(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    store = pace.LocalStore(stage.ticker)
    monkeypatch.setattr(clients, "Transport", partial(Transport, sleep=stage.ticker.sleep))
    monkeypatch.setattr(clients, "Bucket", partial(pace.Bucket, sleep=stage.ticker.sleep))
    monkeypatch.setattr(pace, "store_for", lambda _url: store)
    monkeypatch.setattr(tokens, "_sleep", stage.ticker.sleep)
    real = Trakt.post_plays

    def post_plays(self: Trakt, plays: Any) -> Any:
        while stage.before_post:
            stage.before_post.pop()()
        return real(self, plays)

    monkeypatch.setattr(Trakt, "post_plays", post_plays)


def _look_once() -> None:
    """The person has looked at a preview: the titles have their places. Then the list and Trakt are to be read again."""
    with transaction(readonly=True) as session:
        user = session.scalars(select(User)).one()
    run_id = make_run(user, preview=True)
    sync.run(run_id)
    assert run_row(run_id).plays_planned == len(WANTED.difference(SEEDS))
    with transaction() as session:
        session.execute(delete(Run))
        session.execute(delete(TraktPicture))
        session.execute(delete(SystemConfig).where(SystemConfig.key == WHOLE_LIST))


@contextmanager
def theatre(folder: Path) -> Iterator[Theatre]:
    """Start the simulator in this process and prepare an instance: caches full, titles placed, nothing sent."""
    ahead = [0.0]
    world = World(small_library, clock=lambda: time.time() + ahead[0])
    simulator = create_simulator(world)
    listeners = {name: Listener(simulator) for name in ("anilist", "trakt", "trakt-auth")}
    settings = environment(f"http://127.0.0.1:{listeners['anilist'].port}")
    file = folder / "test.db"
    config = load(
        {
            **settings,
            "TRAKT_API_URL": f"http://127.0.0.1:{listeners['trakt'].port}/trakt",
            "TRAKT_AUTH_URL": f"http://127.0.0.1:{listeners['trakt-auth'].port}/trakt-auth",
            "DATA_DIR": str(folder / "data"),
            "DATABASE_URL": f"sqlite:///{file}",
            "SECRET_KEY": "test-secret-key-that-is-long-enough",
        }
    )
    app = create_app(config)
    filled = sqlite3.connect(":memory:")
    with app.app_context():
        db.create_all()
        db.session.add(User(username="hanako", password_hash="unusable", is_admin=True))
        db.session.commit()
        tokens.seed_from_environment(db.session.query(User).one())
        db.session.commit()
        for name in refresh.empty_sources():
            assert refresh.refresh(name).rows_kept, name
        _look_once()
        db.session.remove()
        db.engine.dispose()
        with sqlite3.connect(file) as database:
            database.backup(filled)
        database.close()
        try:
            yield Theatre(app, world, listeners, ahead, file, filled)
        finally:
            db.session.remove()
            db.engine.dispose()
            filled.close()
            for listener in listeners.values():
                listener.end()


def moment_of(when: datetime | None) -> datetime:
    """A moment that must be there."""
    assert when is not None
    return when
