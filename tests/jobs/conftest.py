"""A person with services in memory; the simulator as a process, and a person of a new instance whose settings point at it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask

from jobs import pace
from tests.jobs.sync_world import World, small_world
from webapp import tokens
from webapp.app import create_app
from webapp.config import load
from webapp.extensions import db
from webapp.models import User
from webapp.simulator import process
from webapp.simulator.process import Running


@pytest.fixture
def world(app: Flask, user: User, monkeypatch: pytest.MonkeyPatch) -> World:
    return small_world(user, monkeypatch)


@pytest.fixture(scope="session")
def simulator() -> Iterator[Running]:
    with process.start() as running:
        yield running


@pytest.fixture
def sim(simulator: Running) -> Running:
    """The simulator as it was when it started."""
    simulator.post("reset")
    pace.store_for.cache_clear()  # a new minute, as far as AniList's budget goes
    return simulator


@pytest.fixture
def settings(sim: Running, tmp_path: Path, database_url: str) -> dict[str, str]:
    """The environment of an instance with an empty database; a file may override this to add to it."""
    return {
        **sim.env,
        "DATA_DIR": str(tmp_path / "data"),
        "DATABASE_URL": database_url,
        "SECRET_KEY": "test-secret-key-that-is-long-enough",
        "TRAKT_SETTLE_SECONDS": "0",
    }


@pytest.fixture
def person(settings: dict[str, str]) -> Iterator[User]:
    """A person of a new instance, signed in to both services; the test is inside the app's context."""
    with create_app(load(settings)).app_context():
        db.create_all()
        user = User(username="hanako", password_hash="unusable", is_admin=True)
        db.session.add(user)
        db.session.commit()
        tokens.seed_from_environment(user)
        db.session.commit()
        yield user
        db.session.remove()
        db.engine.dispose()
