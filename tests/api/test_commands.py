"""Commands start or join a run, wait for it, and answer with its state."""

from __future__ import annotations

import threading
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import func, select

from tests.api.conftest import Api, FakeQueue, add, end
from webapp.api import commands
from webapp.database import transaction
from webapp.extensions import db
from webapp.models import Connection, Entry, Media, PlanItem, PlayRow, Run, RunItem, TraktShow, User, utcnow

FULL = {"message": "Added 3 episodes.", "found": 5, "synced": 3, "alreadySynced": 2, "skippedUnmapped": 0, "added": {"episodes": 3, "movies": 0}}  # fmt: skip
LIBRARY = {"message": "Nothing new.", "found": 5, "synced": 0, "alreadySyncedShows": 5, "addedEpisodes": 0, "addedMovies": 0, "batches": 0, "skippedUnmapped": 0, "review": 1}  # fmt: skip


def run_of(run_id: int) -> Run:
    with transaction(readonly=True) as session:
        return session.get_one(Run, run_id, populate_existing=True)


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_full_sync_answers_the_reference_body(api: Api, connected: User, queue: FakeQueue, method: str) -> None:
    queue.ends = {"status": "succeeded", "result": FULL}
    answer = api(method, "/api/full-sync")
    assert answer.status_code == 200
    (run_id,) = queue.runs
    assert answer.json == FULL | {
        "runId": run_id, "status": "succeeded", "reason": None, "statusUrl": f"/api/runs/{run_id}", "joined": False
    }  # fmt: skip
    assert answer.headers["Cache-Control"] == "no-store"
    run = run_of(run_id)
    assert (run.mode, run.trigger, run.preview, run.options) == ("full", "api", False, {})


@pytest.mark.parametrize("mode", ["completed", "watching"])
def test_a_library_sync_answers_the_reference_body(api: Api, connected: User, queue: FakeQueue, mode: str) -> None:
    queue.ends = {"status": "partial", "reason": "reconnect_trakt", "result": LIBRARY}
    answer = api.post(f"/api/{mode}-sync")
    assert answer.status_code == 200
    assert answer.json is not None
    assert LIBRARY.items() <= answer.json.items()
    assert (answer.json["status"], answer.json["reason"]) == ("partial", "reconnect_trakt")


@pytest.mark.parametrize(
    ("status", "reason", "http"),
    [
        ("succeeded", None, 200),
        ("partial", "rate_limited", 200),
        ("needs_approval", "first_run", 202),
        ("cancelled", "cancelled", 409),
        ("failed", "caches_empty", 502),
    ],
)
def test_the_state_of_the_run_decides_the_http_status(
    api: Api, connected: User, queue: FakeQueue, status: str, reason: str | None, http: int
) -> None:
    queue.ends = {"status": status, "reason": reason}
    answer = api.post("/api/full-sync?wait=600")
    assert answer.status_code == http
    assert answer.json is not None
    assert (answer.json["status"], answer.json["reason"]) == (status, reason)
    if http != 202:
        assert answer.json["found"] == 0  # counts are there even when nothing was counted


@pytest.mark.parametrize("status", ["queued", "running", "waiting"])
def test_what_is_not_done_in_time_is_202_with_where_to_ask(
    api: Api, connected: User, queue: FakeQueue, status: str
) -> None:
    resume = utcnow() + timedelta(seconds=90)
    queue.ends = {"status": status, "resume_at": resume if status == "waiting" else None}
    answer = api.post("/api/completed-sync?wait=0")
    assert answer.status_code == 202
    assert answer.json is not None
    assert answer.json["statusUrl"] == f"/api/runs/{queue.runs[0]}"
    assert answer.json["retryAfter"] == int(answer.headers["Retry-After"])
    assert (80 <= answer.json["retryAfter"] <= 91) if status == "waiting" else (answer.json["retryAfter"] == 5)


def test_a_second_command_joins_the_open_run(api: Api, connected: User, queue: FakeQueue) -> None:
    first = api.post("/api/full-sync?wait=0").json
    second = api.post("/api/full-sync?wait=0").json
    other = api.post("/api/completed-sync?wait=0").json
    assert first is not None
    assert second is not None
    assert other is not None
    assert (first["joined"], second["joined"], other["joined"]) == (False, True, False)
    assert first["runId"] == second["runId"] != other["runId"]


def test_approve_and_force_go_into_the_run(api: Api, connected: User, queue: FakeQueue) -> None:
    api.post("/api/full-sync?wait=0&approve=1&force=1")
    assert run_of(queue.runs[0]).options == {"approved": True, "force": True}


@pytest.mark.parametrize("path", ["/api/full-sync?", "/api/sync?anilistId=1&", "/api/refresh-otaku?"])
def test_a_command_with_a_wrong_parameter_starts_nothing(
    api: Api, connected: User, queue: FakeQueue, path: str
) -> None:
    wrong = ("wait=-1", "wait=3601", "wait=soon", "wait=1e400", "preveiw=1", "check=perhaps", "wait=1&limit=5", f"wait={'9' * 5000}")  # fmt: skip
    for query in wrong:
        answer = api.post(path + query)
        assert answer.status_code == 400, query
        assert answer.json is not None
        assert answer.json["error"]
        assert answer.json["code"] in ("bad_parameter", "unknown_parameter")
    assert (queue.runs, queue.caches) == ([], [])


@pytest.mark.parametrize("path", ["/api/completed-sync", "/api/watching-sync", "/api/completed-sync?preview=0"])
def test_a_get_without_preview_sends_nothing(api: Api, connected: User, queue: FakeQueue, path: str) -> None:
    answer = api.get(path)
    assert answer.status_code == 400
    assert answer.json is not None
    assert answer.json["code"] == "preview_only"
    assert queue.runs == []


@pytest.mark.parametrize("missing", ["anilist", "trakt"])
def test_a_service_that_is_not_connected_is_409(api: Api, connected: User, queue: FakeQueue, missing: str) -> None:
    with transaction() as session:
        session.query(Connection).filter_by(service=missing).update({"state": "disconnected"})
    answer = api.post("/api/full-sync")
    assert answer.status_code == 409
    assert answer.json is not None
    assert answer.json["code"] == f"{missing}_not_connected"
    assert queue.runs == []


def store_plan(user: User) -> None:
    media = [
        Media(anilist_id=n, title_romaji=f"Romaji {n}", title_english=f"English {n}", fetched_at=utcnow())
        for n in (11, 12)
    ]
    add(*media)
    add(Entry(user_id=user.id, account_id="7", anilist_id=11, status="COMPLETED", progress=3, seen_at=utcnow()))
    with transaction(readonly=True) as session:
        run_id = session.scalar(select(func.max(Run.id)))
    day = utcnow().replace(microsecond=0)
    plays = [
        PlanItem(run_id=run_id, user_id=user.id, anilist_id=11, episode=e, kind="episode", trakt_id=5, season=2, number=e, watched_at=day, date_source="activity")
        for e in (2, 3)
    ]  # fmt: skip
    add(*plays, RunItem(run_id=run_id, user_id=user.id, anilist_id=12, outcome="no_match", reason="no_id", wanted=1))


@pytest.mark.parametrize(
    "path", ["/api/completed-sync", "/api/watching-sync", "/api/full-sync", "/api/sync?anilistId=11"]
)
def test_a_preview_answers_what_would_be_sent(api: Api, connected: User, queue: FakeQueue, path: str) -> None:
    queue.ends = {"status": "succeeded"}
    queue.on_run = lambda _run: store_plan(connected)
    answer = api.get(f"{path}{'&' if '?' in path else '?'}preview=1")
    assert answer.status_code == 200
    assert answer.json is not None
    assert answer.json["count"] == 2
    sent, refused = answer.json["items"]
    assert sent["watchedAt"].endswith("Z")
    assert {k: v for k, v in sent.items() if k != "watchedAt"} == {
        "anilistShowId": 11, "titleEnglish": "English 11", "titleRomaji": "Romaji 11", "progress": 3, "episodes": [2, 3], "reason": None,
    }  # fmt: skip
    assert (refused["anilistShowId"], refused["episodes"], refused["reason"]) == (12, [], "no_id")
    run = run_of(answer.json["runId"])
    assert run.preview


def test_a_look_at_one_title_needs_anilist_only(api: Api, user: User, queue: FakeQueue) -> None:
    answer = api.post("/api/sync?anilistId=21")
    assert answer.json is not None
    assert (answer.status_code, answer.json["code"], queue.runs) == (409, "anilist_not_connected", [])
    add(Connection(user_id=user.id, service="anilist", state="name_only", account_name="hana"))
    assert api.post("/api/sync?anilistId=21&wait=0").status_code == 202


def test_a_look_at_one_title_posts_nothing(api: Api, connected: User, queue: FakeQueue) -> None:
    queue.ends = {"status": "succeeded", "result": {"count": 47}}
    answer = api.get("/api/sync?anilistId=21")
    assert answer.status_code == 200
    assert answer.json is not None
    assert (answer.json["success"], answer.json["count"]) == (True, 47)
    run = run_of(queue.runs[0])
    assert (run.mode, run.anilist_id, run.preview) == ("single", 21, False)


def test_a_title_without_a_place_is_told_by_success(api: Api, connected: User, queue: FakeQueue) -> None:
    queue.ends = {"status": "succeeded", "result": {"success": False, "count": 0, "message": "No source knows it."}}
    answer = api.post("/api/sync?anilistId=21")
    assert answer.json is not None
    assert (answer.status_code, answer.json["success"], answer.json["message"]) == (200, False, "No source knows it.")


def test_one_title_is_sent_only_when_it_is_asked_for(api: Api, connected: User, queue: FakeQueue) -> None:
    seasons = {"0": [[1, 9, None, None, None]], "1": [[n, n, None, None, None] for n in range(1, 25)]}
    add(Media(anilist_id=21, title_romaji="Title", search_text="title", fetched_at=utcnow()))
    add(Entry(user_id=connected.id, anilist_id=21, status="CURRENT", progress=2, account_id="7", seen_at=utcnow(), kind="show", trakt_id=500))  # fmt: skip
    add(TraktShow(trakt_id=500, seasons=seasons, fetched_at=utcnow()))
    queue.ends = {"status": "succeeded", "result": {"synced": 2, "found": 2}}
    answer = api.post("/api/sync?anilistId=21&post=1")
    assert answer.json is not None
    assert (answer.status_code, answer.json["success"], answer.json["synced"]) == (200, True, 2)
    assert answer.json["count"] == 24, "what Trakt lists of the show, as without post=1"
    assert run_of(queue.runs[0]).mode == "title"


@pytest.mark.parametrize(
    "query", ["", "anilistId=", "anilistId=x", "anilistId=0", "anilistId=-1", f"anilistId={2**53 + 1}"]
)
def test_one_title_needs_a_real_id(api: Api, connected: User, queue: FakeQueue, query: str) -> None:
    answer = api.post(f"/api/sync?{query}")
    assert answer.status_code == 400
    assert queue.runs == []


def test_only_half_of_the_threads_wait(api: Api, app: Flask, connected: User, queue: FakeQueue) -> None:
    """The places are taken by hand; a further command is answered at once although it may wait an hour."""
    queue.ends = None
    waiters: commands.Waiters = app.extensions[commands.WAITERS]
    places = app.config["TSUZUKI"].WEB_THREADS // 2
    for _ in range(places):
        assert waiters.places.acquire(blocking=False)
    assert not waiters.places.acquire(blocking=False)
    assert api.post("/api/full-sync?wait=3600").status_code == 202
    for _ in range(places):
        waiters.places.release()


def test_a_waiting_request_holds_no_connection_and_sees_the_end(
    api: Api, app: Flask, connected: User, queue: FakeQueue, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another thread ends the run while the request sleeps; no connection is out of the pool meanwhile."""
    asleep, ended, held = threading.Event(), threading.Event(), []

    def sleep(_seconds: float) -> None:
        held.append(db.session.registry.has() and db.session().in_transaction())
        asleep.set()
        ended.wait(10)

    monkeypatch.setattr(commands, "_sleep", sleep)

    def worker() -> None:
        asleep.wait(10)
        with app.app_context():
            end(queue.runs[0], status="succeeded", result=FULL)
            db.session.remove()
        ended.set()

    thread = threading.Thread(target=worker)
    thread.start()
    answer = api.post("/api/full-sync?wait=60")
    thread.join(30)
    assert answer.status_code == 200
    assert held
    assert not any(held)


def test_a_head_request_runs_no_command(api: Api, connected: User, queue: FakeQueue) -> None:
    assert api("HEAD", "/api/full-sync").status_code == 405
    assert queue.runs == []


# Runs


def test_runs_are_listed_newest_first_and_go_on_where_the_page_ended(api: Api, user: User) -> None:
    add(*(Run(user_id=user.id, mode="full", trigger="api", status="succeeded") for _ in range(3)))
    first = api.get("/api/runs?limit=2").json
    assert first is not None
    assert ([row["id"] for row in first["items"]], first["count"]) == ([3, 2], 3)
    second = api.get(first["next"]).json
    assert second is not None
    assert ([row["id"] for row in second["items"]], second["next"]) == ([1], None)


def test_one_run_tells_its_progress(api: Api, user: User) -> None:
    add(Run(user_id=user.id, mode="full", trigger="cron", status="running", phase="posting", done=3, total=9))
    body: Any = api.get("/api/runs/1").json
    assert body["progress"] == {"phase": "posting", "done": 3, "total": 9}
    assert (body["mode"], body["trigger"], body["status"], body["resumeAt"], body["result"]) == ("full", "cron", "running", None, {})  # fmt: skip


def test_the_runs_of_somebody_else_are_not_there(api: Api, user: User) -> None:
    add(User(username="taro", password_hash="x"))
    add(Run(user_id=2, mode="full", trigger="api", status="succeeded"))
    for method, path in (("GET", "/api/runs/1"), ("POST", "/api/runs/1/cancel"), ("POST", "/api/runs/1/undo"), ("POST", "/api/runs/1/approve")):  # fmt: skip
        answer = api(method, path)
        assert answer.status_code == 404, path
        assert answer.json is not None
        assert answer.json["code"] == "not_found"
    assert api.get("/api/runs").json == {"items": [], "count": 0, "next": None}


@pytest.mark.parametrize("number", ["0", "-1", "x", str(2**53 + 1), "9" * 400, "1.5", "%00"])
def test_a_run_that_cannot_be_is_a_client_error(api: Api, user: User, number: str) -> None:
    assert api.get(f"/api/runs/{number}").status_code in (400, 404)
    assert api.post(f"/api/runs/{number}/cancel").status_code in (400, 404)


def test_a_queued_run_is_cancelled_at_once(api: Api, user: User) -> None:
    add(Run(user_id=user.id, mode="full", trigger="api", status="queued"))
    answer = api.post("/api/runs/1/cancel")
    assert answer.json is not None
    assert (answer.status_code, answer.json["status"]) == (200, "cancelled")
    again = api.post("/api/runs/1/cancel")
    assert again.json is not None
    assert (again.status_code, again.json["code"]) == (409, "already_ended")


def test_a_running_run_is_asked_to_stop(api: Api, user: User) -> None:
    add(Run(user_id=user.id, mode="full", trigger="api", status="running"))
    assert api.post("/api/runs/1/cancel?wait=0").status_code == 202
    assert run_of(1).cancel_requested


def test_undo_starts_a_run_of_its_own(api: Api, connected: User, queue: FakeQueue) -> None:
    add(Run(user_id=connected.id, mode="full", trigger="api", status="succeeded"))
    assert api.post("/api/runs/1/undo").status_code == 409
    add(
        PlayRow(user_id=connected.id, source_account="7", anilist_id=1, episode=1, target_account="u", kind="episode", trakt_id=2, season=1, number=1, state="sent", run_id=1)
    )  # fmt: skip
    queue.ends = {"status": "succeeded", "result": {"removed": 1}}
    answer = api.post("/api/runs/1/undo")
    assert answer.json is not None
    assert (answer.status_code, answer.json["runId"], answer.json["removed"]) == (200, 2, 1)
    assert run_of(2).mode == "undo"


def waiting_run(user: User) -> None:
    expires = utcnow() + timedelta(hours=20)
    add(Run(user_id=user.id, mode="full", trigger="cron", status="needs_approval", reason="first_run", plan_expires_at=expires))  # fmt: skip


@pytest.mark.parametrize(("body", "entries"), [(None, None), ({}, None), ({"entries": [5, 3]}, [3, 5])])
def test_approval_lets_the_run_go_on(
    api: Api, connected: User, queue: FakeQueue, body: Any, entries: list[int] | None
) -> None:
    waiting_run(connected)
    options = {} if body is None else {"json": body}
    answer = api.post("/api/runs/1/approve?wait=0", **options)
    assert answer.status_code == 202
    run = run_of(1)
    assert run.status == "queued"
    assert run.options["approved"] is True
    assert run.options.get("entries") == entries


@pytest.mark.parametrize(
    "options",
    [
        {"data": '{"entries": [1', "content_type": "application/json"},
        {"data": '{"entries": [1]}', "content_type": "text/plain"},
        {"json": {"entires": [1]}},
        {"json": {"entries": [0]}},
        {"json": {"entries": "all"}},
        {"json": [1]},
        {"json": "x"},
    ],
)
def test_an_unreadable_approval_approves_nothing(
    api: Api, connected: User, queue: FakeQueue, options: dict[str, Any]
) -> None:
    waiting_run(connected)
    assert api.post("/api/runs/1/approve?wait=0", **options).status_code == 400
    assert run_of(1).status == "needs_approval"
