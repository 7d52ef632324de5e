"""Fixtures that every test may use: a configuration, an app with an empty database, a person."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import hypothesis
import pytest
from flask import Flask
from redis import Redis

from tests.quick_apps import addresses_compiled_once, write_empty_tables
from tests.real_servers import new_database, real_postgres, real_redis
from webapp.app import create_app
from webapp.config import Config, load
from webapp.extensions import db
from webapp.memory import keep_what_is_loaded
from webapp.models import User

# The same commit gives the same answer; `HYPOTHESIS_PROFILE=explore ./run test` looks elsewhere each time.
hypothesis.settings.register_profile("fixed", derandomize=True, database=None)
hypothesis.settings.register_profile("explore")
hypothesis.settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "fixed"))


def pytest_collection_finish() -> None:
    """What was loaded by now stays: looking through it for circles again and again would cost a tenth of all time."""
    keep_what_is_loaded()


@pytest.fixture
def config(tmp_path: Path) -> Config:
    """Settings of a test: nothing comes from the real environment, every outside address is a dead one."""
    dead = "http://127.0.0.1:9"
    return load(
        {
            "DATA_DIR": str(tmp_path / "data"),
            "DATABASE_URL": f"sqlite:///{tmp_path / 'test.db'}",
            "SECRET_KEY": "test-secret-key-that-is-long-enough",
            "API_TOKEN": "test-api-token",
            "CRON_SECRET": "test-cron-secret",
            "ANILIST_API_URL": f"{dead}/anilist/graphql",
            "ANILIST_AUTH_URL": f"{dead}/anilist/oauth",
            "TRAKT_API_URL": f"{dead}/trakt",
            "TRAKT_AUTH_URL": f"{dead}/trakt-auth",
            "TMDB_API_URL": f"{dead}/tmdb",
            "OTAKU_URL": f"{dead}/otaku.db",
            "FRIBBS_URL": f"{dead}/fribbs.json",
            "ANIME_LISTS_URL": f"{dead}/anime-lists.xml",
        }
    )


@pytest.fixture(scope="session", autouse=True)
def _quick_addresses() -> Iterator[None]:
    with addresses_compiled_once():
        yield


@pytest.fixture(scope="session")
def empty_tables(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A SQLite file with all tables and no rows."""
    file = tmp_path_factory.mktemp("tables") / "empty.db"
    write_empty_tables(file)
    return file


@pytest.fixture
def app(config: Config, empty_tables: Path) -> Iterator[Flask]:
    """An app with all tables and an application context; the database is thrown away afterwards."""
    app = create_app(config)
    with app.app_context():
        if config.database_url.startswith("sqlite:///"):
            shutil.copyfile(empty_tables, config.database_url.removeprefix("sqlite:///"))
        else:
            db.create_all()
        yield app
        db.session.remove()
        db.engine.dispose()


@pytest.fixture
def user(app: Flask) -> User:
    """The first account."""
    person = User(username="hanako", password_hash="unusable", is_admin=True)
    db.session.add(person)
    db.session.commit()
    return person


@pytest.fixture(scope="session")
def redis_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a real, private Redis of this process of the test run."""
    with real_redis(Path(tempfile.mkdtemp(prefix="tsuzuki-test-"))) as url:
        yield url


@pytest.fixture
def redis_url(redis_server: str) -> str:
    """The same, with nothing in it."""
    with Redis.from_url(redis_server) as client:
        client.flushall()
    return redis_server


@pytest.fixture(scope="session")
def postgres_cluster() -> Iterator[str]:
    """The address of a PostgreSQL server: `TEST_DATABASE_URL` when that is set, else a private one."""
    if given := os.environ.get("TEST_DATABASE_URL"):
        yield given
        return
    with real_postgres(Path(tempfile.mkdtemp(prefix="tsuzuki-pg-"))) as address:
        yield address


@pytest.fixture
def postgres_url(postgres_cluster: str) -> Iterator[str]:
    """An empty database of its own, as DATABASE_URL."""
    with new_database(postgres_cluster) as address:
        yield address


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """An empty database of each kind, one after the other, as DATABASE_URL: PostgreSQL with --all."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'test.db'}"
    address: str = request.getfixturevalue("postgres_url")
    return address
