"""What the pages of runs and of the log do: each action without a script, and what it leaves in the database."""

from __future__ import annotations

from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import update

from tests.web.conftest import Browser, Find
from webapp.extensions import db
from webapp.models import Connection, Log, PlayRow, Run, utcnow

pytestmark = pytest.mark.usefixtures("queue")


# Sync


@pytest.mark.parametrize(
    ("data", "queue_name", "mode", "preview"),
    [
        ({"mode": "full", "do": "preview"}, "refresh", "full", True),
        ({"mode": "full", "do": "send"}, "sync", "full", False),
        ({"mode": "completed", "do": "send"}, "sync", "completed", False),
        ({"mode": "watching", "do": "preview"}, "refresh", "watching", True),
        (
            {"mode": "title", "do": "preview", "anilist_id": "https://anilist.co/anime/16/Shingeki"},
            "light",
            "title",
            True,
        ),
    ],
)
def test_a_button_of_the_sync_page_starts_a_run(
    quiet: Browser,
    find: Find,
    queue: list[tuple[str, int]],
    data: dict[str, str],
    queue_name: str,
    mode: str,
    preview: bool,
) -> None:
    address = quiet.post("/sync", data)
    run = find(Run)
    assert (run.mode, run.preview, run.trigger, run.status) == (mode, preview, "page", "queued")
    assert address == f"/runs/{run.id}"
    assert queue == [(queue_name, run.id)]
    quiet.get(address)


def test_a_second_press_joins_the_run_that_is_under_way(quiet: Browser) -> None:
    first = quiet.post("/sync", {"mode": "full", "do": "send"})
    assert quiet.post("/sync", {"mode": "full", "do": "send"}) == first
    assert "under way already" in quiet.get(first)


@pytest.mark.parametrize(
    "data",
    [
        {"mode": "title", "do": "send", "anilist_id": "x"},
        {"mode": "title", "do": "send"},
        {"mode": "x", "do": "send"},
        {"mode": "full", "do": "x"},
    ],
)
def test_a_bad_wish_says_so_and_starts_nothing(
    quiet: Browser, queue: list[tuple[str, int]], data: dict[str, str]
) -> None:
    assert 'role="alert"' in quiet.post("/sync", data, status=422)
    assert queue == []


# Runs


def test_ticks_of_a_preview_are_what_is_sent(quiet: Browser, find: Find) -> None:
    preview = find(Run, preview=True)
    page = quiet.get(f"/runs/{preview.id}")
    assert "episodes 1-12 → Season 2, 1-12" in page
    quiet.post(f"/runs/{preview.id}/send", {"ticks": "2", "entries": ["16"]})
    run = find(Run)
    assert (run.parent_id, run.options, run.mode) == (preview.id, {"entries": [16]}, "full")
    assert f"sent by run {run.id}" in quiet.get(f"/runs/{preview.id}")


def test_all_ticks_mean_the_whole_preview(quiet: Browser, find: Find) -> None:
    preview = find(Run, preview=True)
    quiet.post(f"/runs/{preview.id}/send", {"ticks": "2", "entries": ["16", "17"]})
    assert find(Run).options == {"entries": None}


def test_no_tick_sends_nothing(quiet: Browser, find: Find, queue: list[tuple[str, int]]) -> None:
    preview = find(Run, preview=True)
    assert quiet.post(f"/runs/{preview.id}/send", {"ticks": "2"}) == f"/runs/{preview.id}"
    assert "Nothing is ticked" in quiet.get(f"/runs/{preview.id}")
    assert queue == []


def test_a_plan_that_waits_is_approved_or_put_away(site: Flask, quiet: Browser, find: Find) -> None:
    with site.app_context():
        run = Run(user_id=1, mode="watching", trigger="cron", status="needs_approval", reason="first_run")
        db.session.add(run)
        db.session.commit()
        run_id = run.id
    assert "Approve" in quiet.get(f"/runs/{run_id}")
    quiet.post(f"/runs/{run_id}/approve")
    assert find(Run, id=run_id).status == "queued"
    quiet.post(f"/runs/{run_id}/cancel")
    assert find(Run, id=run_id).status == "cancelled"
    quiet.post(f"/runs/{run_id}/cancel")
    assert "had ended already" in quiet.get(f"/runs/{run_id}")


@pytest.mark.parametrize("reason", ["first_run", "over_brake", "plays_vanished"])
def test_a_run_that_waits_for_a_person_shows_what_it_would_do(quiet: Browser, find: Find, reason: str) -> None:
    run = find(Run, reason=reason)
    text = quiet.get(f"/runs/{run.id}")
    assert "Approve and send" in text
    assert "2 titles, 13 plays" in text
    assert ("60 plays that we sent are not there any more." in text) == (reason == "plays_vanished")
    assert ("48 plays" in text and "And 12 plays of other titles." in text) == (reason == "plays_vanished")


@pytest.mark.parametrize(
    ("service", "says"),
    [
        ("trakt", "your whole list is compared with what taro has"),
        ("anilist", "the list of taro is read from the beginning"),
    ],
)
def test_another_account_is_named_with_what_a_yes_means(
    site: Flask, quiet: Browser, find: Find, service: str, says: str
) -> None:
    with site.app_context():
        changed = {"pending_account_id": "another", "pending_account_name": "taro", "account_name": "kenji"}
        db.session.execute(update(Connection).where(Connection.service == service).values(**changed))
        db.session.commit()
    text = quiet.get(f"/runs/{find(Run, reason='account_changed').id}")
    assert "kenji before, taro now." in text
    assert says in text


def test_undo_asks_first(quiet: Browser, find: Find) -> None:
    sent = find(PlayRow, state="sent").run_id
    assert f'href="/runs/{sent}/undo"' in quiet.get(f"/runs/{sent}")
    assert "Remove the 1 play that this run added?" in quiet.get(f"/runs/{sent}/undo")
    quiet.post(f"/runs/{sent}/undo")
    run = find(Run)
    assert (run.mode, run.parent_id) == ("undo", sent)


def test_what_is_on_hold_is_sent_again_by_play_title_and_run(quiet: Browser, find: Find) -> None:
    gone = find(PlayRow, state="gone")
    page = quiet.get("/history?state=hold")
    assert f'form="again" name="play" value="{gone.id}"' in page
    assert page.count('action="/history/send-again"') == 1  # for all buttons
    quiet.post("/history/send-again", {"play": gone.id})
    assert find(PlayRow, id=gone.id).held is False
    quiet.post("/mappings/16/send-again")
    assert find(PlayRow, state="removed").held is False
    quiet.post(f"/runs/{gone.run_id}/send-again")
    assert "Nothing is held back" in quiet.get(f"/runs/{gone.run_id}")
    assert quiet.post("/history/send-again", {"play": 99999}) == "/history?state=hold"


@pytest.mark.parametrize("action", ["send", "approve", "cancel", "undo", "send-again", "dates"])
def test_a_run_that_is_not_there_is_a_404(quiet: Browser, action: str) -> None:
    answer = quiet.client.post(f"/runs/9999/{action}", data={"csrf_token": quiet.token(), "date_rule": "now"})
    assert answer.status_code == 404 or (action == "send-again" and answer.status_code == 303)


def test_progress_polls_while_the_run_is_open_and_stops_with_an_event(small: Browser, find: Find) -> None:
    running, ended = find(Run, status="running"), find(Run, status="partial")
    text = small.get(f"/runs/{running.id}/progress")
    assert "every 2s" in text
    assert 'max="37" value="10"' in text
    text = small.get(f"/runs/{ended.id}/progress", status=286)
    assert "every" not in text
    assert small.last is not None
    assert "run-ended" in small.last.headers["HX-Trigger"]


def test_the_log_of_a_run_goes_on_from_a_cursor(site: Flask, small: Browser, find: Find) -> None:
    running = find(Run, status="running")
    with site.app_context():
        db.session.add_all([Log(user_id=1, run_id=running.id, level="info", message=f"Line {n}") for n in range(3)])
        db.session.commit()
    text = small.get(f"/runs/{running.id}/log?after=0")
    last = find(Log, run_id=running.id).id
    assert text.index("Line 0") < text.index("Line 2")
    assert f"after={last}" in text
    small.get(f"/runs/{running.id}/log?after={last}", status=204)
    ended = find(Run, status="partial")
    small.get(f"/runs/{ended.id}/log?after=0", status=286)


def test_quiet_checks_are_folded(small: Browser) -> None:
    assert "3 checks, nothing new" in small.get("/runs")


def test_every_play_of_a_title_in_a_plan_can_be_seen(small: Browser, find: Find) -> None:
    preview = find(Run, preview=True)
    text = small.get(f"/runs/{preview.id}/plan/16")
    assert "S2 E12" in text
    assert "<html" not in small.get(f"/runs/{preview.id}/plan/16", hx=True)
    small.get(f"/runs/{preview.id}/plan/1", status=404)


# Logs


def test_the_log_shows_late_lines_once(site: Flask, browser: Browser) -> None:
    def write(line_id: int, text: str) -> None:
        with site.app_context():
            db.session.add(Log(id=line_id, user_id=1, level="info", message=text, created_at=utcnow()))
            db.session.commit()

    write(10, "first")
    write(12, "third")
    page = browser.get("/logs")
    assert "after=12" in page
    assert "seen=10,12" in page or "seen=10%2C12" in page
    browser.get("/logs?after=12&seen=10,12", hx=True, status=204)
    write(11, "second, committed late")
    text = browser.get("/logs?after=12&seen=10,12", hx=True)
    assert "second, committed late" in text
    assert "first" not in text
    assert "after=12" in text
    assert "seen=10-12" in text


def test_old_lines_are_not_shown_again(site: Flask, browser: Browser) -> None:
    with site.app_context():
        old = utcnow() - timedelta(minutes=1)
        db.session.add_all([Log(user_id=1, level="info", message="old", created_at=old) for _ in range(3)])
        db.session.commit()
    browser.get("/logs?after=3", hx=True, status=204)
    assert "old" in browser.get("/logs?after=2", hx=True)
