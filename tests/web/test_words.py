"""Every state, reason and outcome has its sentence, in the voice of the pages."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from flask import Flask

from jobs import errors
from jobs.records import Pile, Reason
from webapp import words
from webapp.models import MODES, PLAY_STATES, RUN_STATES, Run
from webapp.schedule import Gate, gate

ROOT = Path(__file__).resolve().parents[2]
OUTCOMES = (
    "sent",
    "sent_in_part",
    "refused",
    "waiting",
    "needs_you",
    "no_match",
    "shared_with",
    "already_on_trakt",
    "misplaced",
    "left_out",
    "held",
    "removed",
)
RUN_REASONS = ["rate_limited", "settling", "service_down", "first_run", "over_brake", "plays_vanished", "account_changed", "cancelled", "approval_expired", "reconnect_anilist", "reconnect_trakt", "reconnect_mal", "app_refused", "vip_required", "account_limit", "account_locked", "incomplete_read", "caches_empty", "worker_lost", "bad_data"]  # fmt: skip


@pytest.fixture(autouse=True)
def context(words_app: Flask) -> Iterator[None]:
    with words_app.test_request_context():
        yield


@pytest.mark.parametrize(
    ("kind", "codes"),
    [
        ("state", RUN_STATES),
        ("run_reason", RUN_REASONS),
        ("reason", [reason.value for reason in Reason]),
        ("outcome", OUTCOMES),
        ("planned", OUTCOMES),
        ("play", PLAY_STATES),
        ("pile", [*(pile.value for pile in Pile), "unknown"]),
        ("connection", ["connected", "name_only", "reconnect", "refused", "disconnected"]),
        ("gate", ["off", "paused", "not_connected", "open_run", "too_soon"]),
    ],
)
def test_every_name_has_its_sentence(kind: str, codes: list[str]) -> None:
    for code in codes:
        text = words.sentence(kind, code, service="Trakt", at="18:20")
        assert text != str(words.UNKNOWN), code
        assert text.endswith("."), code
        assert "%(" not in text, code


@pytest.mark.parametrize(
    ("kind", "codes"),
    [
        ("mode", MODES), ("state", RUN_STATES), ("outcome", OUTCOMES), ("play", PLAY_STATES), ("trigger", ["page", "api", "cron", "schedule"]),
        ("date_rule", ["activity", "released", "unknown", "evenly", "now"]), ("status", ["COMPLETED", "CURRENT", "REPEATING", "PAUSED", "DROPPED", "PLANNING"]),
        ("action", ["scrobble", "checkin", "watch"]),
        ("date_source", ["activity", "completed", "updated", "planned", "released", "unknown", "evenly", "now", "force"]),
    ],
)  # fmt: skip
def test_every_name_has_its_label(kind: str, codes: list[str]) -> None:
    for code in codes:
        assert words.label(kind, code) != code.replace("_", " ") or code == words.label(kind, code).casefold()
        assert code in words._LABELS[kind]


def test_every_reason_that_an_error_gives_has_its_sentence() -> None:
    found = {
        getattr(thing, "reason", None)
        for thing in vars(errors).values()
        if isinstance(thing, type) and issubclass(thing, Exception)
    }
    assert found - {None} <= set(words.RUN_REASONS)


def test_every_phase_that_a_run_names_has_its_words() -> None:
    named = {
        name
        for path in (ROOT / "jobs").rglob("*.py")
        for name in re.findall(r'\.phase\("(\w+)"', path.read_text("utf-8"))
    }
    assert named
    assert named <= set(words.PHASES)


def test_every_refusal_of_a_command_has_its_sentence() -> None:
    text = (ROOT / "webapp" / "runs.py").read_text("utf-8")
    codes = set(re.findall(r'RunError\(\s*"(\w+)"', text))
    assert codes
    assert codes <= set(words.COMMANDS)


def test_every_reason_of_the_gate_has_its_sentence() -> None:
    assert Gate(due=True, reason=None, last_run=None, next_run=None).reason is None
    text = Path(gate.__code__.co_filename).read_text("utf-8")
    assert set(re.findall(r'Gate\(False, "(\w+)"', text)) == set(words.GATE)


def texts() -> list[str]:
    """What pages say: the tables of words, and the text of every template."""
    found = [str(text) for table in words._SENTENCES.values() for text in table.values()]
    found += [str(text) for table in words._LABELS.values() for text in table.values()]
    for path in (ROOT / "templates").rglob("*.html"):
        found += re.findall(r'(?:_|gettext)\("([^"]+)"', path.read_text("utf-8"))
    return found


def test_pages_keep_the_voice_of_the_house() -> None:
    for text in texts():
        assert "!" not in text, text
        for word in ("successfully", "sync item", "mapping record", "please", "oops", "job"):
            assert not re.search(rf"\b{word}\b", text.casefold()), text


def run(**values: object) -> Run:
    now = datetime(2026, 11, 20, 18, 0, tzinfo=UTC)
    return Run(**{"mode": "full", "status": "succeeded", "plays_planned": 0, "plays_sent": 0, "preview": False, "result": {}, "options": {}, "finished_at": now, **values})  # fmt: skip


@pytest.mark.parametrize(
    ("made", "said"),
    [
        ({"plays_planned": 39, "plays_sent": 39, "result": {"added": {"episodes": 37, "movies": 2}}}, "37 episodes and 2 movies are on Trakt."),
        ({"plays_planned": 1, "plays_sent": 1, "result": {"added": {"episodes": 1, "movies": 0}}}, "1 episode is on Trakt."),
        ({"mode": "completed", "plays_planned": 1310, "plays_sent": 1310, "result": {"addedEpisodes": 1310, "addedMovies": 0}}, "1,310 episodes are on Trakt."),
        ({"result": {"found": 14_000, "entries": 1018}}, "Up to date. 1,018 titles checked at"),
        ({"preview": True, "plays_planned": 39, "result": {"plays": {"episodes": 37, "movies": 2}, "alreadySynced": 1204, "review": 3}}, "37 episodes and 2 movies would be added to Trakt. 1,204 episodes are there already. 3 titles need you. Nothing has been sent."),
        ({"preview": True}, "Nothing new: all that has a place is on Trakt already. Nothing has been sent."),
        ({"status": "partial", "plays_planned": 7, "plays_sent": 6}, "6 of 7 plays are on Trakt. 1 is not."),
        ({"status": "partial", "plays_planned": 37, "plays_sent": 31}, "31 of 37 plays are on Trakt. 6 are not."),
        ({"status": "partial", "reason": "reconnect_trakt", "plays_planned": 37, "plays_sent": 31}, "31 of 37 plays are on Trakt. 6 are not. Trakt signed us out."),
        ({"plays_planned": 3, "plays_sent": 3, "result": {"added": {"episodes": 3, "movies": 0}, "readBack": {"plays": 3, "there": 3}}}, "3 episodes are on Trakt. We read them back."),
        ({"plays_planned": 1, "plays_sent": 1, "result": {"added": {"episodes": 1, "movies": 0}, "readBack": {"plays": 1, "there": 1}}}, "1 episode is on Trakt. We read it back."),
        ({"status": "partial", "reason": "bad_data", "plays_planned": 37, "plays_sent": 31, "result": {"refused": 2}}, "31 of 37 plays are on Trakt. 6 are not. 2 plays were refused by Trakt. Look at where they go. 4 wait; we try again with every check."),
        ({"status": "failed", "reason": "bad_data", "plays_planned": 1, "result": {"refused": 1}}, "1 play was refused by Trakt. Look at where it goes."),
        ({"status": "waiting", "reason": "settling", "plays_planned": 37, "plays_sent": 31}, "31 of 37 plays are on Trakt. 6 are not. Trakt did not answer clearly, or its history was changing."),
        ({"plays_planned": 3, "plays_sent": 3, "undone_by": 9}, "Undone. What this run had done on Trakt was taken back by run 9."),
        ({"status": "needs_approval", "reason": "over_brake", "plays_planned": 1310}, "This run would add 1,310 plays, far more than usual. It waits for you."),
        ({"status": "needs_approval", "reason": "over_brake", "plays_planned": 1310, "result": {"usual": 3}}, "This run would add 1,310 plays, far more than usual (3). It waits for you."),
        ({"status": "waiting", "reason": "rate_limited", "detail": "anilist: 429"}, "AniList asked us to slow down."),
        ({"status": "failed"}, "It ended without sending anything."),
    ],
)  # fmt: skip
def test_the_outcome_of_a_run_is_a_sentence(made: dict[str, object], said: str) -> None:
    assert words.run_sentence(run(**made)).startswith(said)


@pytest.mark.parametrize(
    ("made", "state"),
    [({}, "succeeded"), ({"plays_sent": 3}, "sent"), ({"plays_sent": 3, "undone_by": 9}, "undone"), ({"preview": True}, "ready"), ({"mode": "undo"}, "done"), ({"status": "failed"}, "failed")],
)  # fmt: skip
def test_the_state_of_a_run_says_whether_something_was_sent(made: dict[str, object], state: str) -> None:
    assert words.run_state(run(**made)) == state
    assert words.run_label(run(**made))


@pytest.mark.parametrize(
    ("found", "said"),
    [
        ({"arrived": 100, "again": 0}, "Trakt didn't answer, so we looked: all 100 plays had arrived. Nothing was sent twice."),
        ({"arrived": 1, "again": 0}, "Trakt didn't answer, so we looked: the play had arrived. Nothing was sent twice."),
        ({"arrived": 60, "again": 40}, "Trakt didn't answer, so we looked: 60 of 100 plays had arrived, and only the others were sent again. Nothing was sent twice."),
        (None, ""),
    ],
)  # fmt: skip
def test_what_was_looked_at_after_a_lost_answer_is_told(found: dict[str, int] | None, said: str) -> None:
    assert words.settled(run(result={"settled": found} if found else {})) == said


def test_a_reading_that_misses_something_is_no_confirmation() -> None:
    said = words.run_sentence(
        run(plays_sent=3, result={"added": {"episodes": 3}, "readBack": {"plays": 3, "there": 2}})
    )
    assert "read" not in said


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("Up to date. 3 titles checked at 18:00.", ("Up to date.", "3 titles checked at 18:00.")),
        ("Checked on 12. March. Nothing to do.", ("Checked on 12. March.", "Nothing to do.")),
        ("One sentence.", ("One sentence.", "")),
    ],
)
def test_the_heading_of_a_run_is_its_first_sentence(text: str, parts: tuple[str, str]) -> None:
    assert words.headline(text) == parts
