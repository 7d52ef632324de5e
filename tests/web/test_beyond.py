"""Ratings, the watchlist and dropped shows on the pages: the switches, the plan with its boxes, what a run did."""

from __future__ import annotations

import csv
import html
import io
import json
import re
from datetime import UTC, datetime
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from tests.web.conftest import Browser
from webapp import enqueue, queries, words, words_beyond
from webapp.extensions import db
from webapp.models import EXTRA_KINDS, EXTRA_STATES, ExtraRow, PlanExtra, Run, User, utcnow

API = {"Authorization": "Bearer test-api-token"}
RESULT = {
    "entries": 60,
    "extras": {
        "ratings": {"planned": 34, "sent": 34, "refused": 0, "already": 2, "different": 3, "held": 0, "waiting": 0},
        "watchlist": {"planned": 1, "sent": 1, "refused": 0, "already": 0, "different": 0, "held": 0, "waiting": 4},
    },
}


@pytest.fixture(autouse=True)
def no_queue(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(enqueue, "run", lambda _run: True)


def a_run(site: Flask, **values: object) -> int:
    with site.app_context():
        user_id = db.session.query(User.id).scalar()
        row = Run(**{"user_id": user_id, "mode": "full", "trigger": "page", "status": "succeeded", "result": RESULT, "finished_at": utcnow(), **values})  # fmt: skip
        db.session.add(row)
        db.session.commit()
        return row.id


def planned(site: Flask, run_id: int, count: int = 3) -> list[str]:
    with site.app_context():
        for season in range(1, count + 1):
            db.session.add(PlanExtra(run_id=run_id, kind="rating", target="season", trakt_id=70_000, season=season, anilist_id=season, value=9))  # fmt: skip
        db.session.add(PlanExtra(run_id=run_id, kind="dropped", target="show", trakt_id=70_001, anilist_id=9))
        db.session.commit()
    return [f"rating:season:70000:{season}" for season in range(1, count + 1)] + ["dropped:show:70001:0"]


def sent(site: Flask, run_id: int, *states: str) -> None:
    with site.app_context():
        user_id = db.session.query(User.id).scalar()
        for number, state in enumerate(states, 1):
            db.session.add(ExtraRow(user_id=user_id, target_account="trakt-1", kind="rating", target="movie", trakt_id=number + 500, anilist_id=number, value=8, state=state, run_id=run_id, claimed_at=utcnow()))  # fmt: skip
        db.session.commit()


def answer(client: FlaskClient, path: str) -> Any:
    return client.get(path, headers=API).get_json()


def person(site: Flask) -> User:
    with site.app_context():
        return db.session.query(User).one()


def test_each_of_them_is_off_at_first_and_switched_by_itself(site: Flask, small: Browser) -> None:
    page = small.get("/settings")
    assert page.count('name="beyond"') == 3
    for kind in EXTRA_KINDS:
        assert f'name="beyond" value="{kind}">' in page
    small.post("/settings/beyond", {"beyond": ["rating", "dropped", "nonsense"]})
    one = person(site)
    assert (one.send_ratings, one.send_watchlist, one.send_dropped) == (True, False, True)
    small.post("/settings/beyond", {})
    one = person(site)
    assert (one.send_ratings, one.send_watchlist, one.send_dropped) == (False, False, False)


def test_a_plan_without_plays_shows_them_with_a_box_each(site: Flask, small: Browser) -> None:
    run_id = a_run(site, preview=True)
    codes = planned(site, run_id)
    page = small.get(f"/runs/{run_id}")
    for code in codes:
        assert f'name="extras" value="{code}" checked' in page
    assert "Season 2, 9 of 10" in page
    assert "34 ratings and 1 watchlist title would be added to Trakt." in page
    assert "3 titles have another rating there, which stays." in page


def test_a_preview_says_when_they_could_not_be_looked_at(site: Flask, small: Browser) -> None:
    run_id = a_run(site, preview=True, result={"extrasTrouble": "incomplete_read"})
    assert "Trakt&#39;s ratings and lists could not be looked at" in small.get(f"/runs/{run_id}")


def test_what_is_ticked_is_sent_and_the_rest_is_not(site: Flask, small: Browser) -> None:
    run_id = a_run(site, preview=True)
    codes = planned(site, run_id)
    small.post(f"/runs/{run_id}/send", {"ticks": "0", "extra_ticks": "4", "extras": codes[:2]})
    with site.app_context():
        run = db.session.query(Run).filter_by(parent_id=run_id).one()
    assert run.options == {"entries": None, "extras": sorted(codes[:2])}


@pytest.mark.parametrize("ticks", ["0", "2"])
def test_nothing_is_sent_without_a_tick(site: Flask, small: Browser, ticks: str) -> None:
    run_id = a_run(site, preview=True)
    planned(site, run_id)
    small.post(f"/runs/{run_id}/send", {"ticks": ticks, "extra_ticks": "4"})
    with site.app_context():
        assert db.session.query(Run).filter_by(parent_id=run_id).count() == 0


def test_extras_alone_are_enough_to_send_beside_unticked_plays(site: Flask, small: Browser) -> None:
    run_id = a_run(site, preview=True)
    codes = planned(site, run_id)
    small.post(f"/runs/{run_id}/send", {"ticks": "2", "extra_ticks": "4", "extras": codes})
    with site.app_context():
        run = db.session.query(Run).filter_by(parent_id=run_id).one()
    assert run.options == {"entries": [], "extras": sorted(codes)}


def test_an_approval_takes_the_ticks_too(site: Flask, small: Browser) -> None:
    run_id = a_run(site, status="needs_approval", reason="over_brake", finished_at=None)
    codes = planned(site, run_id)
    assert "This run would add 34 ratings and 1 watchlist title, far more than usual." in small.get(f"/runs/{run_id}")  # fmt: skip
    small.post(f"/runs/{run_id}/approve", {"ticks": "0", "extra_ticks": "4", "extras": codes[:1]})
    with site.app_context():
        run = db.session.get_one(Run, run_id)
    assert (run.status, run.options["extras"]) == ("queued", codes[:1])


def test_a_run_shows_what_it_sent_and_offers_undo_and_send_again(site: Flask, small: Browser) -> None:
    run_id = a_run(site)
    sent(site, run_id, *EXTRA_STATES)
    page = small.get(f"/runs/{run_id}")
    assert "34 ratings and 1 watchlist title are on Trakt." in page
    assert "4 titles wait for room on Trakt&#39;s watchlist." in page
    assert "Send 3 again" in page
    for state in EXTRA_STATES:
        assert words.label("extra", state) in page
    undo = small.get(f"/runs/{run_id}/undo")
    assert "Take 1 rating off Trakt again?" in undo
    small.post(f"/runs/{run_id}/undo", {})
    with site.app_context():
        assert db.session.query(Run).filter_by(parent_id=run_id, mode="undo").count() == 1


def test_send_again_clears_the_hold_and_starts_a_full_run(site: Flask, small: Browser) -> None:
    run_id = a_run(site)
    sent(site, run_id, "sent", "gone", "removed", "rejected")
    small.post(f"/runs/{run_id}/send-again", {})
    with site.app_context():
        held = {row.state for row in db.session.query(ExtraRow).filter_by(held=True, run_id=run_id)}
        assert (held, db.session.query(Run).filter_by(mode="full", status="queued").count()) == ({"sent"}, 1)


def test_a_run_that_sent_only_these_is_not_folded_away(site: Flask, small: Browser) -> None:
    for _ in range(3):
        a_run(site)
    assert small.get("/runs").count("34 ratings and 1 watchlist title are on Trakt.") == 3


def test_every_state_and_kind_has_its_words(words_app: Flask) -> None:
    with words_app.test_request_context():
        for kind, codes in (("extra", EXTRA_STATES), ("beyond", EXTRA_KINDS)):
            for code in codes:
                assert words.sentence(kind, code) != str(words.UNKNOWN)
                assert code in words._LABELS[kind]


@pytest.mark.parametrize(
    ("result", "status", "said"),
    [
        ({"ratings": {"planned": 1, "sent": 1}}, "succeeded", "1 rating is on Trakt."),
        ({"ratings": {"planned": 3, "sent": 2, "refused": 1}}, "partial", "2 of 3 ratings are on Trakt. Trakt did not take 1 of them."),
        ({"ratings": {"planned": 2, "sent": 2}, "watchlist": {"planned": 3, "sent": 3}, "dropped": {"planned": 1, "sent": 1}}, "succeeded", "2 ratings, 3 watchlist titles and 1 dropped show are on Trakt."),
        ({"ratings": {"planned": 0, "sent": 0}}, "succeeded", "Up to date."),
        ({"watchlist": {"planned": 9, "sent": 2, "waiting": 7}}, "partial", "2 of 9 watchlist titles are on Trakt. Trakt's watchlist is full."),
        ({"watchlist": {"planned": 9, "sent": 0, "waiting": 9}}, "failed", "Trakt's watchlist is full."),
    ],
)  # fmt: skip
def test_the_outcome_of_a_run_is_a_sentence(
    words_app: Flask, result: dict[str, dict[str, int]], status: str, said: str
) -> None:
    reason = {"succeeded": None}.get(status, "watchlist_full" if "watchlist" in result else "bad_data")
    run = Run(mode="full", status=status, reason=reason, plays_planned=0, plays_sent=0, preview=False, result={"extras": result}, options={}, finished_at=utcnow())  # fmt: skip
    with words_app.test_request_context():
        assert words.run_sentence(run).startswith(said)
        assert words.run_state(run) == ("sent" if words_beyond.total(run, "sent") and status == "succeeded" else status)


def test_titles_whose_status_is_not_sent_are_no_questions(site: Flask, small: Browser) -> None:
    with site.app_context():
        user_id = person(site).id
        before = queries.review_counts(user_id)["needs_you"]
        db.session.get_one(User, user_id).statuses = ["CURRENT"]
        db.session.commit()
        assert queries.review_counts(user_id)["needs_you"] == 0 < before


# What was sent, by title, by run and in all


def test_the_page_of_a_title_lists_what_was_rated_or_put_on_a_list(site: Flask, small: Browser) -> None:
    run_id = a_run(site)
    sent(site, run_id, "sent", "gone")
    page = small.get("/mappings/1")
    assert "Beyond plays" in page
    assert re.search(r"<b>Ratings</b>\s+<p class=\"hint\">Movie, 8 of 10", page)
    assert f'href="/runs/{run_id}"' in page
    assert "It was removed or changed on Trakt, so it stays as you left it." in small.get("/mappings/2")
    assert "beyond-h" not in small.get("/mappings/3")


def test_a_title_whose_rating_is_on_hold_can_send_it_again(site: Flask, small: Browser) -> None:
    sent(site, a_run(site), "rejected")
    before = small.get("/mappings/1")
    with site.app_context():
        db.session.query(ExtraRow).filter_by(trakt_id=501).update({"held": False})
        db.session.commit()
    after = small.get("/mappings/1")
    numbers = [int(found[1]) if (found := re.search(r"Send (\d+) again", page)) else 0 for page in (before, after)]
    assert numbers[0] == numbers[1] + 1


def test_the_files_of_a_run_name_what_went_out_beyond_plays(site: Flask, small: Browser) -> None:
    run_id = a_run(site)
    sent(site, run_id, "sent", "rejected")
    rows = [row for row in json.loads(small.get(f"/runs/{run_id}/items.json"))["items"] if row["kind"] != "plays"]
    assert [(row["anilistId"], row["kind"], row["value"], row["outcome"], row["places"], row["sent"], row["rejected"]) for row in rows] == [
        (1, "rating", 8, "sent", ["movie"], 1, 0),
        (2, "rating", 8, "rejected", ["movie"], 0, 1),
    ]  # fmt: skip
    table = list(csv.DictReader(io.StringIO(small.get(f"/runs/{run_id}/items.csv"))))
    assert [(row["anilistId"], row["kind"], row["value"], row["outcome"]) for row in table] == [("1", "rating", "8", "sent"), ("2", "rating", "8", "rejected")]  # fmt: skip


def test_the_files_of_a_preview_name_what_would_go_out(site: Flask, small: Browser) -> None:
    run_id = a_run(site, preview=True, plan_expires_at=datetime(2999, 1, 1, tzinfo=UTC))
    planned(site, run_id, 1)
    rows = json.loads(small.get(f"/runs/{run_id}/items.json"))["items"]
    assert [(row["anilistId"], row["kind"], row["value"], row["outcome"], row["places"]) for row in rows] == [
        (1, "rating", 9, "new", ["S1"]),
        (9, "dropped", None, "new", ["show"]),
    ]


def test_history_lists_them_all_by_kind_and_state(site: Flask, small: Browser) -> None:
    run_id = a_run(site)
    with site.app_context():
        db.session.query(ExtraRow).delete()
        db.session.commit()
    sent(site, run_id, *("sent",) * 70, "gone", "removing")
    page = small.get("/history/beyond")
    assert page.count("8 of 10") == 60
    older = html.unescape(re.findall(r'href="([^"]+)" rel="next"', page)[0])
    assert small.get(older).count("8 of 10") == 12
    assert small.get("/history/beyond?state=hold").count("8 of 10") == 1
    assert small.get("/history/beyond?state=open").count("8 of 10") == 1
    assert "Nothing fits." in small.get("/history/beyond?kind=dropped")
    assert small.get("/history/beyond?kind=nonsense&state=nonsense").count("8 of 10") == 60


def test_nobody_sees_what_another_person_sent(site: Flask, small: Browser) -> None:
    run_id = a_run(site)
    with site.app_context():
        db.session.query(ExtraRow).delete()
        db.session.commit()
    sent(site, run_id, "sent")
    with site.app_context():
        db.session.add(User(username="other", password_hash="unusable"))
        db.session.commit()
        other = db.session.query(User.id).filter_by(username="other").scalar()
        db.session.query(ExtraRow).update({"user_id": other})
        db.session.commit()
    assert "Nothing of the kind has been sent yet." in small.get("/history/beyond")
    assert "beyond-h" not in small.get("/mappings/1")
    assert answer(site.test_client(), "/api/extras")["items"] == []


def test_the_api_lists_them_page_by_page(site: Flask, small: Browser) -> None:
    run_id = a_run(site)
    with site.app_context():
        db.session.query(ExtraRow).delete()
        db.session.commit()
    sent(site, run_id, "sent", "gone", "rejected")
    client = site.test_client()
    first = answer(client, "/api/extras?limit=2&kind=rating")
    assert (first["count"], [row["state"] for row in first["items"]]) == (3, ["rejected", "gone"])
    rest = answer(client, first["next"])
    assert [(row["anilistId"], row["value"], row["runId"]) for row in rest["items"]] == [(1, 8, run_id)]
    assert rest["next"] is None
    assert [row["anilistId"] for row in answer(client, "/api/extras?anilistId=2")["items"]] == [2]
    assert answer(client, "/api/extras?runId=99999")["count"] == 0
    assert client.get("/api/extras?kind=nonsense", headers=API).status_code == 400
    assert client.get("/api/extras").status_code == 401
