"""The log as a page: by level and run, with the day of older lines, and as a file."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from flask import Flask

from tests import html
from tests.web.conftest import Browser
from tests.web.seed import NOW
from webapp.extensions import db
from webapp.models import Log, Run, User


@pytest.fixture
def logged(site: Flask, browser: Browser, hanako: int) -> tuple[int, int]:
    """Two runs with a line each, a line of the instance, one of somebody else; hanako lives in Tokyo."""
    with site.app_context():
        db.session.get_one(User, hanako).timezone = "Asia/Tokyo"
        other = User(username="taro", password_hash="unusable")
        runs = [Run(user_id=hanako, mode="full", trigger="page", status="succeeded", created_at=NOW) for _ in range(2)]
        db.session.add_all([other, *runs])
        db.session.flush()
        at = datetime(2020, 11, 19, 23, 30, 1, 250_000, UTC)
        lines = [(hanako, runs[0].id, "info", "first run"), (hanako, runs[1].id, "warning", "second run"), (None, None, "info", "the instance"), (other.id, None, "error", "taro's own")]  # fmt: skip
        db.session.add_all([Log(user_id=who, run_id=run, level=level, message=text, created_at=at) for who, run, level, text in lines])  # fmt: skip
        db.session.commit()
        return runs[0].id, runs[1].id


def messages(text: str) -> list[str]:
    return [one.text.strip() for one in html.check(text).named("span") if one.attrs.get("class") == "message"]


def test_lines_are_filtered_by_run_and_level(browser: Browser, logged: tuple[int, int]) -> None:
    first, second = logged
    assert messages(browser.get(f"/logs?run={first}")) == [f"first run run {first}"]
    assert messages(browser.get(f"/logs?run={second}&level=error")) == []
    assert messages(browser.get("/logs?level=warning")) == [f"second run run {second}"]


def test_the_tail_keeps_the_filters(browser: Browser, logged: tuple[int, int]) -> None:
    first, second = logged
    text = browser.get(f"/logs?run={first}&level=debug")
    poller = next(one.attrs["hx-get"] for one in html.check(text).named("li") if "hx-get" in one.attrs)
    assert f"run={first}" in poller
    assert "level=debug" in poller
    assert messages(browser.get(f"/logs?after=0&run={second}", hx=True)) == [f"second run run {second}"]


def test_times_are_the_persons_and_say_the_day_when_it_is_another(browser: Browser, logged: tuple[int, int]) -> None:
    text = browser.get("/logs")
    assert "Times are yours, in JST." in text
    assert ">20 Nov 2020 08:30:01<" in " ".join(text.split())


def test_lines_can_be_kept_as_a_file(browser: Browser, logged: tuple[int, int]) -> None:
    first, second = logged
    lines = browser.get("/logs/file").splitlines()
    assert lines == [
        f"2020-11-20T08:30:01.250+09:00 info    run {first}: first run",
        f"2020-11-20T08:30:01.250+09:00 warning run {second}: second run",
        "2020-11-20T08:30:01.250+09:00 info    the instance",
    ]
    assert browser.get(f"/logs/file?run={first}").splitlines() == lines[:1]
    assert browser.last is not None
    assert browser.last.headers["Content-Disposition"] == f'attachment; filename="tsuzuki-log-{first}.txt"'


def test_what_needs_a_script_is_hidden_without_one(browser: Browser, logged: tuple[int, int]) -> None:
    buttons = {one.text.strip(): one for one in html.check(browser.get("/logs")).named("button")}
    assert "hidden" in buttons["Pause"].attrs
    assert "hidden" in buttons["Copy"].attrs


def test_older_lines_have_nothing_to_pause(browser: Browser, logged: tuple[int, int]) -> None:
    text = browser.get("/logs?before=4")
    assert "data-pause" not in text
    assert "every 2s" not in text
