"""What a later reading of Trakt shows is noted with the run that sent it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from jobs import readback
from jobs.records import Picture, Watched
from webapp.database import transaction
from webapp.models import PlayRow, Run, User, utcnow


def run_with_plays(user: User, numbers: tuple[int, ...] = (1, 2), **values: Any) -> int:
    known = {"mode": "full", "trigger": "page", "status": "succeeded", "plays_sent": len(numbers), "finished_at": utcnow() - timedelta(minutes=2), "result": {"message": "kept"}}  # fmt: skip
    with transaction() as session:
        run = Run(**{"user_id": user.id, **known, **values})
        session.add(run)
        session.flush()
        for nth, number in enumerate(numbers, 1):
            session.add(PlayRow(user_id=user.id, source_account="7", anilist_id=1, episode=nth, target_account="t", kind="episode", trakt_id=5, season=1, number=number, target_nth=nth, state="sent", run_id=run.id))  # fmt: skip
        return int(run.id)


def picture(*numbers: int, plays: int = 1, age: float = 0) -> Picture:
    began = utcnow() - timedelta(seconds=age)
    return Picture("t", began, {}, {(5, 1, number): Watched(plays, None) for number in numbers}, {})


def result(run_id: int) -> dict[str, Any]:
    with transaction(readonly=True) as session:
        found: dict[str, Any] = session.scalars(select(Run.result).where(Run.id == run_id)).one()
    return found


def said(run_id: int) -> tuple[int, int] | None:
    back = result(run_id).get("readBack")
    return (back["plays"], back["there"]) if back else None


def test_all_that_was_sent_is_there(user: User) -> None:
    run_id = run_with_plays(user)
    readback.note(user.id, picture(1, 2, 3))
    assert said(run_id) == (2, 2)
    assert result(run_id)["message"] == "kept"


def test_what_is_missing_is_said_and_looked_at_again(user: User) -> None:
    run_id = run_with_plays(user)
    readback.note(user.id, picture(1))
    assert said(run_id) == (2, 1)
    readback.note(user.id, picture(1, 2))
    assert said(run_id) == (2, 2)


def test_what_was_confirmed_stays_confirmed(user: User) -> None:
    run_id = run_with_plays(user)
    readback.note(user.id, picture(1, 2))
    readback.note(user.id, picture())
    assert said(run_id) == (2, 2)


def test_a_play_from_before_does_not_count_as_ours(user: User) -> None:
    run_id = run_with_plays(user, (1,))
    with transaction() as session:
        session.scalars(select(PlayRow)).one().before = 1
    readback.note(user.id, picture(1))
    assert said(run_id) == (1, 0)
    readback.note(user.id, picture(1, plays=2))
    assert said(run_id) == (1, 1)


def test_two_plays_of_one_episode_need_two_there(user: User) -> None:
    run_id = run_with_plays(user, (1, 1))
    readback.note(user.id, picture(1))
    assert said(run_id) == (2, 1)


@pytest.mark.parametrize(
    "values",
    [
        {"finished_at": None, "status": "running"},
        {"mode": "undo"},
        {"plays_sent": 0},
        {"finished_at": utcnow() - timedelta(days=3)},
    ],
)
def test_other_runs_are_left_alone(user: User, values: dict[str, Any]) -> None:
    run_id = run_with_plays(user, **values)
    readback.note(user.id, picture(1, 2))
    assert said(run_id) is None


def test_a_reading_that_began_before_the_run_ended_says_nothing(user: User) -> None:
    run_id = run_with_plays(user, finished_at=utcnow() - timedelta(seconds=10))
    readback.note(user.id, picture(1, 2, age=30))
    assert said(run_id) is None
