"""The same promises on PostgreSQL: tables, starts that race, claims, the lease of the tick."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from flask import Flask
from sqlalchemy import delete, func, select

from jobs import runstate, tick
from tests.at_once import at_once
from webapp import crypto, runs, schedule, tokens
from webapp.app import create_app
from webapp.config import Config, _database_url
from webapp.extensions import Base, db
from webapp.grants import Tokens
from webapp.launch import migrations, prepare
from webapp.launch.folder import make_folder
from webapp.models import Connection, Lease, Log, Run, User, utcnow

pytestmark = pytest.mark.postgres


@pytest.fixture
def config(config: Config, postgres_url: str) -> Config:
    return config.replace(DATABASE_URL=_database_url(postgres_url))


@pytest.fixture
def app(config: Config) -> Iterator[Flask]:
    """An app whose tables were made by the migrations."""
    make_folder(config.data_dir)
    app = create_app(config)
    with app.app_context():
        migrations.migrate(config.data_dir)
        yield app
        db.session.remove()
        db.engine.dispose()


def together(app: Flask, times: int, action: Callable[[], Any]) -> list[Any]:
    def one() -> Any:
        with app.app_context():
            result = action()
            db.session.remove()
            return result

    return at_once([one] * times)


def test_the_migrations_and_the_models_say_the_same(app: Flask) -> None:
    with db.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, Base.metadata) == []


def test_several_starts_at_once_migrate_once(app: Flask, config: Config) -> None:
    Base.metadata.drop_all(db.engine)
    with db.engine.begin() as connection:
        connection.exec_driver_sql("DROP TABLE alembic_version")
    results = together(app, 3, lambda: migrations.migrate(config.data_dir)[0])
    assert sorted(results, key=str) == sorted(
        [None, migrations.newest_revision(), migrations.newest_revision()], key=str
    )


def test_everything_is_prepared(app: Flask) -> None:
    app.config["TSUZUKI"] = app.config["TSUZUKI"].replace(ADMIN_USERNAME="hanako", ADMIN_PASSWORD="a password")
    prepare.prepare(app)
    first = prepare.cron_secret()
    prepare.prepare(app)
    assert prepare.cron_secret() == first
    crypto.check_value(app)
    assert db.session.scalar(select(func.count()).select_from(User)) == 1
    db.session.commit()


def test_many_commands_at_once_start_one_run(app: Flask, user: User) -> None:
    results = together(app, 6, lambda: runs.start(user.id, "full", "page").joined)
    assert sorted(results) == [False] + [True] * 5


def test_two_calls_of_cron_at_once_start_one_run(app: Flask, user: User) -> None:
    for service in ("anilist", "trakt"):
        db.session.add(Connection(user_id=user.id, service=service, state="connected"))
    db.session.commit()
    now = utcnow()
    assert sum(together(app, 5, lambda: len(schedule.start_due(now, "cron")))) == 1


def test_one_of_many_workers_claims_a_run(app: Flask, user: User) -> None:
    run = runs.start(user.id, "full", "page").run
    claims = together(app, 5, lambda: runstate.claim(run.id))
    assert len([claim for claim in claims if claim]) == 1


def test_one_of_two_runs_of_an_account_gets_the_lock(app: Flask, user: User) -> None:
    ids = [runs.start(user.id, mode, "page").run.id for mode in ("full", "completed")]
    queue = list(ids)
    claims = together(app, 2, lambda: runstate.claim(queue.pop()))
    assert [claim.run_id for claim in claims if claim] == ids[:1]


def test_one_of_many_ticks_holds_the_lease(app: Flask) -> None:
    names = [f"process {number}" for number in range(5)]
    now = utcnow()
    assert sum(together(app, 5, lambda: tick.take_lease(names.pop(), now, 60))) == 1


def test_a_whole_tick_runs(app: Flask, user: User, caplog: pytest.LogCaptureFixture) -> None:
    now = utcnow()
    db.session.add(Run(user_id=user.id, mode="full", trigger="page", status="needs_approval", created_at=now))
    silent = {"status": "running", "attempt": 1, "worker": "a host:7", "heartbeat_at": now - timedelta(minutes=2)}
    open_batch = {"batch_deadline": now + timedelta(hours=1), "lock_key": f"trakt:{user.id}"}
    db.session.add(Run(user_id=user.id, mode="watching", trigger="page", created_at=now, **silent, **open_batch))
    db.session.commit()
    tokens.store(user.id, "anilist", Tokens("jwt", None, now + timedelta(days=5)))
    for _ in range(2):
        assert tick.Tick(app, clock=lambda: utcnow() + timedelta(minutes=1)).once()
        db.session.execute(delete(Lease))
        db.session.commit()
    assert "failed" not in caplog.text
    told = list(db.session.scalars(select(Log.message).where(Log.level == "warning").order_by(Log.id)))
    assert len(told) == 2  # each once: the worker that vanished, the sign-in that ends
    assert "has not been heard of" in told[0]
    assert "the sign-in ends in 5 days" in told[1]
