"""How the runs of a person stand, found in one query, is what a look at each of them finds."""

from __future__ import annotations

import random
from datetime import timedelta

import pytest
from flask import Flask

from webapp import queries
from webapp.config import Config, _database_url
from webapp.extensions import db
from webapp.models import OPEN, Run, User, utcnow

STATUSES = ("queued", "running", "waiting", "needs_approval", "succeeded", "partial", "failed", "cancelled")


@pytest.fixture
def config(config: Config, database_url: str) -> Config:
    return config.replace(DATABASE_URL=_database_url(database_url))


@pytest.mark.parametrize("seed", range(12))
def test_the_latest_runs_are_those_that_a_look_at_each_finds(app: Flask, user: User, seed: int) -> None:
    chance, now = random.Random(seed), utcnow()
    other = User(username="taro", password_hash="unusable")
    db.session.add(other)
    db.session.flush()
    for _ in range(seed * 4):
        expires = chance.choice([None, now - timedelta(hours=1), now + timedelta(hours=1)])
        mode, status = chance.choice(["full", "completed", "title", "undo"]), chance.choice(STATUSES)
        db.session.add(Run(user_id=chance.choice([user.id, other.id]), mode=mode, trigger="page", status=status, preview=chance.random() < 0.5, plan_expires_at=expires))  # fmt: skip
    db.session.commit()
    found = queries.latest(user.id)
    newest = [run for run in queries.runs(user.id) if run.user_id == user.id]
    library = [run for run in newest if run.mode in ("full", "completed", "watching")]
    assert found.open_runs == [run for run in reversed(newest) if run.status in OPEN]
    assert found.waiting_approval == [run for run in newest if run.status == "needs_approval"][:5]
    ended = [run for run in library if run.status in ("succeeded", "partial", "failed") and not run.preview]
    assert found.last_check == (ended[0] if ended else None)
    last = next((run for run in library if run.status in ("succeeded", "partial", *OPEN)), None)
    fresh = last is not None and last.preview and last.status == "succeeded" and (last.plan_expires_at is None or last.plan_expires_at > now)  # fmt: skip
    assert found.preview == (last if fresh else None)
