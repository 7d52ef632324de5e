"""A page's question to Trakt is answered through the real client, or says why it could not be asked."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import select

from jobs import looking
from tests.jobs.demo_runs import go
from webapp import enqueue, lookups
from webapp.database import transaction
from webapp.models import Entry, LookUp, TraktShow, User
from webapp.simulator.process import Running


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """The job runs as soon as it is put on the queue."""

    def work(look_up_id: int) -> bool:
        looking.answer(look_up_id)
        return True

    monkeypatch.setattr(enqueue, "look_up", work)


def ask(user: User, **part: Any) -> LookUp:
    row = lookups.wait(user.id, lookups.ask(user.id, [part]))
    assert row is not None
    return row


def known(user: User) -> Entry:
    with transaction(readonly=True) as session:
        query = select(Entry).where(Entry.user_id == user.id, Entry.kind == "show", Entry.trakt_id.is_not(None))
        return session.scalars(query.order_by(Entry.anilist_id)).unique().first()  # type: ignore[return-value]  # there are some


def test_titles_ids_slugs_and_entries_lead_to_the_show(sim: Running, person: User) -> None:
    go(person, preview=True)
    entry = known(person)
    by_id = ask(person, service="trakt", value=str(entry.trakt_id), kind="show")
    (found,) = by_id.answer[0]
    assert (by_id.state, found["traktId"]) == ("answered", entry.trakt_id)
    for part in (
        {"title": found["title"]},
        {"service": "tmdb", "value": str(found["tmdbId"]), "kind": None},
        {"service": "anilist", "value": str(entry.anilist_id), "kind": None},
    ):
        answers = ask(person, **part).answer[0]
        assert entry.trakt_id in {one["traktId"] for one in answers}, part


def test_a_look_at_a_title_learns_the_name_of_its_show(sim: Running, person: User) -> None:
    go(person, preview=True)
    entry = known(person)
    run = go(person, mode="single", anilist_id=entry.anilist_id)
    assert run.status == "succeeded"
    with transaction(readonly=True) as session:
        show = session.get_one(TraktShow, entry.trakt_id, populate_existing=True)
    assert show.title
    assert show.slug


def test_how_the_plays_of_a_show_came_about_is_read_from_the_history(sim: Running, person: User) -> None:
    go(person, preview=True)
    entry = known(person)
    play = {"kind": "episode", "trakt_id": entry.trakt_id, "season": 1, "number": 1, "watched_at": "2023-03-12T18:00:00.000Z"}  # fmt: skip
    sim.post("plays", {"add": [{**play, "action": "scrobble"}, {**play, "number": 2, "action": "checkin"}]})
    (rows,) = ask(person, history="show", traktId=entry.trakt_id).answer
    found = {(row["season"], row["number"]): (row["action"], row["at"]) for row in rows}
    assert found[1, 1] == ("scrobble", "2023-03-12T18:00:00Z")
    assert found[1, 2][0] == "checkin"
    assert ask(person, history="movie", traktId=999_999_999).answer == [[]]


def test_what_trakt_does_not_have_is_an_empty_answer(sim: Running, person: User) -> None:
    assert ask(person, service="trakt", value="999999999", kind="show").answer == [[]]
    assert ask(person, service="anilist", value="999999999", kind=None).answer == [[]]


def test_a_service_that_is_down_is_named(sim: Running, person: User) -> None:
    sim.post(
        "faults", {"service": "trakt", "method": "GET", "path": "/search", "kind": "status", "status": 403, "count": 9}
    )
    row = ask(person, title="Frieren")
    assert (row.state, row.answer) == ("failed", [])
    assert row.reason


def test_a_question_is_its_owners_and_is_answered_once(sim: Running, person: User) -> None:
    row = ask(person, title="Frieren")
    assert lookups.result(person.id + 1, row.id) is None
    answered_at = row.answered_at
    looking.answer(row.id)
    again = lookups.result(person.id, row.id)
    assert again is not None
    assert again.answered_at == answered_at
