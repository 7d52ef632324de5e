"""Nothing large or new is sent by itself before a person has agreed (DESIGN 6.10)."""

from __future__ import annotations

import pytest
from sqlalchemy import select, update

from jobs import consent
from tests.jobs.sync_fakes import claimed, make_run
from webapp.database import transaction
from webapp.models import User, utcnow


def agree() -> None:
    with transaction() as session:
        session.execute(update(User).values(hand_consent_at=utcnow()))


def has_agreed() -> bool:
    with transaction(readonly=True) as session:
        return session.scalars(select(User.hand_consent_at)).one() is not None


def earlier(user: User, *sent: int) -> None:
    for plays in sent:
        make_run(user, plays_sent=plays, status="succeeded")


@pytest.mark.parametrize("trigger", ["cron", "schedule"])
def test_the_first_automated_run_asks_whatever_its_size(user: User, trigger: str) -> None:
    ctx = claimed(user, trigger=trigger)
    assert consent.must_ask(ctx, 1) == "first_run"
    assert consent.must_ask(ctx, 0) is None


def test_a_yes_given_before_lets_automated_runs_go(user: User) -> None:
    agree()
    assert consent.must_ask(claimed(user, trigger="cron"), 200) is None


def test_an_automated_run_above_two_hundred_plays_asks(user: User) -> None:
    agree()
    assert consent.must_ask(claimed(user, trigger="cron"), 201) == "over_brake"


def test_ten_times_the_usual_run_is_allowed_where_that_is_more(user: User) -> None:
    agree()
    earlier(user, 40, 0, 50, 60)
    ctx = claimed(user, trigger="schedule")
    assert consent.must_ask(ctx, 500) is None
    assert consent.must_ask(ctx, 501) == "over_brake"


def test_the_usual_run_is_the_median_of_the_last_twenty_that_sent(user: User) -> None:
    assert consent.usual_run(user.id) == 0
    earlier(user, *[1000] * 30, *[10] * 11, *[20] * 9)
    assert consent.usual_run(user.id) == 10


def test_undone_plays_say_nothing_of_the_usual_run(user: User) -> None:
    make_run(user, mode="undo", plays_sent=900, status="succeeded")
    assert consent.usual_run(user.id) == 0


@pytest.mark.parametrize("trigger", ["page", "api"])
def test_a_run_by_hand_asks_only_above_twenty_thousand(user: User, trigger: str) -> None:
    ctx = claimed(user, trigger=trigger)
    assert consent.must_ask(ctx, 20_000) is None
    assert consent.must_ask(ctx, 20_001) == "over_brake"


def test_sending_a_preview_is_the_consent(user: User) -> None:
    preview = make_run(user, preview=True, status="succeeded")
    assert consent.must_ask(claimed(user, parent_id=preview), 50_000) is None


def test_an_approved_run_goes(user: User) -> None:
    assert consent.must_ask(claimed(user, trigger="cron", options={"approved": True}), 50_000) is None


def test_a_yes_to_another_account_is_no_yes_to_its_plays(user: User) -> None:
    options = {"approved": True, "approved_reason": "account_changed"}
    assert consent.must_ask(claimed(user, trigger="cron", options=options), 3) == "first_run"


def test_a_run_by_hand_is_remembered_and_an_automated_one_is_not(user: User) -> None:
    consent.note_consent(claimed(user, trigger="cron"))
    assert not has_agreed()
    consent.note_consent(claimed(user, trigger="page"))
    assert has_agreed()
