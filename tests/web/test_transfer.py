"""Corrections as files and subscribed lists, on the pages, by commands and through the API."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from flask import Flask
from sqlalchemy import func, select

from jobs.mapping.correction_file import write
from tests.web.conftest import Browser
from webapp import caches, enqueue, transfer
from webapp.cli import cli
from webapp.config import Config
from webapp.database import transaction
from webapp.models import (  # fmt: skip
    Entry,
    EntrySpan,
    EpisodeOverride,
    ImportDraft,
    Lease,
    ListMapping,
    Mapping,
    MappingList,
    MappingSource,
    User,
    utcnow,
)

SPAN = {"from": 1, "to": 12, "season": 2, "start": 1}
ONE = {"anilistId": 16, "kind": "show", "traktId": 70_001, "tmdbId": 5, "spans": [SPAN]}
OVERRIDE = {"traktId": 70_000, "abs": 3, "season": 0, "episode": 1}
API = {"Authorization": "Bearer test-api-token"}


def rows(site: Flask, user_id: int) -> tuple[dict[int, int], list[tuple[int, ...]], int]:
    """Manual mappings, spans and the number of overrides."""
    with site.app_context(), transaction(readonly=True) as session:
        mine = select(Mapping.anilist_id, Mapping.trakt_id).where(Mapping.user_id == user_id)
        spans = select(EntrySpan.anilist_id, EntrySpan.first, EntrySpan.last, EntrySpan.season, EntrySpan.start)
        overrides = select(func.count()).select_from(EpisodeOverride)
        return (
            dict(session.execute(mine).all()),
            [tuple(row) for row in session.execute(spans.order_by(EntrySpan.anilist_id, EntrySpan.first))],
            session.scalar(overrides) or 0,
        )


def send(browser: Browser, content: bytes, *, status: int = 303) -> str:
    return browser.post("/manual/file", {"file": (io.BytesIO(content), "corrections.yaml")}, status=status)


def note(asked: list[int]) -> Callable[[int], bool]:
    """A queue that only remembers."""

    def put(number: int) -> bool:
        asked.append(number)
        return True

    return put


def take_admin(site: Flask) -> None:
    with site.app_context(), transaction() as session:
        session.scalars(select(User)).one().is_admin = False


@pytest.mark.parametrize("form", ["yaml", "json"])
def test_a_file_is_looked_at_first_and_saved_after_the_yes(small: Browser, site: Flask, hanako: int, form: str) -> None:
    before = rows(site, hanako)
    new = {"anilistId": 17, "kind": "movie", "traktId": 9}
    address = send(
        small, write([ONE, new, {"anilistId": 999_999, "kind": "show", "traktId": 4}], [OVERRIDE], form).encode()
    )
    page = small.get(address.removeprefix("http://localhost"))
    assert "3 new, 1 changed, 0 the same, 0 not taken. Nothing has been saved yet." in page
    assert rows(site, hanako) == before
    with site.app_context(), transaction() as session:
        session.scalars(select(Entry).where(Entry.anilist_id == 16)).one().changed_at = None
    small.post(address.removeprefix("http://localhost"))
    mapped, spans, overrides = rows(site, hanako)
    assert (mapped[16], mapped[17], mapped[999_999]) == (70_001, 9, 4)
    assert [row[1:] for row in spans if row[0] == 16] == [(1, 12, 2, 1)]
    assert overrides == 1
    with site.app_context(), transaction(readonly=True) as session:
        assert session.scalars(select(Entry).where(Entry.anilist_id == 16)).one().changed_at is not None
    small.get(address.removeprefix("http://localhost"), status=404)
    again = send(small, write([ONE, new], [OVERRIDE], form).encode()).removeprefix("http://localhost")
    assert "0 new, 0 changed, 3 the same" in small.get(again)


def test_what_was_exported_is_the_same_when_it_comes_back(small: Browser, site: Flask, hanako: int) -> None:
    send_and_take(small, [ONE, {"anilistId": 18, "spans": [{"from": 3, "season": 0, "start": 1}]}], [OVERRIDE])
    before = rows(site, hanako)
    for form in ("yaml", "json"):
        text = small.get(f"/manual/export.{form}")
        assert small.last is not None
        assert "attachment" in small.last.headers["Content-Disposition"]
        assert "Title 16" in text
        with site.app_context(), transaction(readonly=True) as session:
            person = session.get_one(User, hanako)
        with site.app_context():
            report = transfer.look(person, text.encode())
        assert (report.to_write, report.refused) == ([], [])
        assert len(report.changes) == len({*before[0], *(row[0] for row in before[1])}) + 1
    small.get("/manual/export.exe", status=404)


def send_and_take(browser: Browser, mappings: list[dict[str, Any]], overrides: list[dict[str, Any]]) -> None:
    address = send(browser, write(mappings, overrides, "yaml").encode()).removeprefix("http://localhost")
    browser.post(address)


@pytest.mark.parametrize("content", [b"", b"<html>", b"a: &a 1\nb: *a\n", write([ONE], [], "yaml").encode()[:-9] + b"{", b"\xff\xfe"])  # fmt: skip
def test_a_bad_file_changes_nothing_and_says_why(small: Browser, site: Flask, hanako: int, content: bytes) -> None:
    before = rows(site, hanako)
    assert 'class="error"' in send(small, content, status=422)
    assert rows(site, hanako) == before


def test_rows_that_are_not_taken_stop_the_file_unless_they_are_left_out(
    small: Browser, site: Flask, hanako: int
) -> None:
    bad: list[dict[str, Any]] = [{"anilistId": 17, "kind": "show"}, {"anilistId": 18, "traktId": 3, "sesaon": 1}, ONE]
    before = rows(site, hanako)
    address = send(small, write([ONE, *bad], [], "yaml").encode()).removeprefix("http://localhost")
    page = small.get(address)
    for reason in ("neither traktId nor spans", "sesaon", "twice"):
        assert reason in page
    assert small.post(address) == address
    assert rows(site, hanako) == before
    small.post(address, {"leave_out": "1"})
    assert rows(site, hanako)[0][16] == 70_001


def test_overrides_count_for_everyone_so_only_an_administrator_imports_them(
    small: Browser, site: Flask, hanako: int
) -> None:
    take_admin(site)
    address = send(small, write([ONE], [OVERRIDE], "yaml").encode()).removeprefix("http://localhost")
    assert "an administrator imports them" in small.get(address)
    small.post(address, {"leave_out": "1"})
    assert rows(site, hanako)[2] == 0
    for path in ("/manual/lists", "/manual/override"):
        small.get(path, status=403)
    small.post("/manual/override", {"trakt_id": 1, "abs": 1, "season": 1, "episode": 1}, status=403)
    small.post("/caches/otaku/accept", status=403)


def test_another_persons_draft_is_not_found(small: Browser, site: Flask, hanako: int) -> None:
    with site.app_context(), transaction() as session:
        other = User(username="jiro", password_hash="unusable")
        session.add(other)
        session.flush()
        session.add(ImportDraft(user_id=other.id, token="known", content="x", created_at=utcnow()))
    small.get("/manual/file/known", status=404)
    small.post("/manual/file/known", status=404)


# API


def test_the_api_looks_first_and_saves_when_told(small: Browser, site: Flask, hanako: int) -> None:
    client, before = small.client, rows(site, hanako)
    content = write([ONE, {"anilistId": 5}], [], "json")
    looked = client.post("/api/corrections", data=content, headers=API)
    assert looked.json == {"applied": False, "added": 0, "changed": 1, "same": 0, "refused": [{"line": 19, "reason": "neither traktId nor spans says anything"}], "error": None, "code": None}  # fmt: skip
    refused = client.post("/api/corrections?apply=1", data=content, headers=API)
    assert (refused.status_code, (refused.json or {})["code"]) == (400, "refused_rows")
    broken = client.post("/api/corrections?apply=1", data=content[:-5], headers=API)
    assert (broken.status_code, (broken.json or {})["code"]) == (400, "bad_file")
    assert rows(site, hanako) == before
    assert (client.post("/api/corrections?apply=1&leaveOut=1", data=content, headers=API).json or {})["applied"] is True
    assert rows(site, hanako)[0][16] == 70_001
    exported = client.get("/api/corrections?format=json", headers=API).get_data(as_text=True)
    assert {row["anilistId"] for row in json.loads(exported)["mappings"]} == set(rows(site, hanako)[0])


def test_the_api_keeps_lists(browser: Browser, site: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[int] = []
    monkeypatch.setattr(enqueue, "mapping_list", note(asked))
    client = browser.client
    new = {"title": "Good", "url": "https://lists.example/a.yaml"}
    made = client.post("/api/lists", json=new, headers=API)
    list_id = (made.json or {})["id"]
    assert client.post("/api/lists", json=new, headers=API).status_code == 409
    inside = client.post("/api/lists", json={**new, "url": "https://10.0.0.1/"}, headers=API)
    assert (inside.status_code, (inside.json or {})["code"]) == (400, "bad_address")
    assert client.post(f"/api/lists/refresh?id={list_id}", headers=API).status_code == 200
    assert asked == [list_id, list_id]
    (item,) = (client.get("/api/lists", headers=API).json or {})["items"]
    assert (item["title"], item["count"], item["error"]) == ("Good", 0, None)
    assert client.delete(f"/api/lists?id={list_id}", headers=API).status_code == 200
    assert client.delete(f"/api/lists?id={list_id}", headers=API).status_code == 404
    take_admin(site)
    for method, path in (("GET", "/api/lists"), ("DELETE", "/api/lists?id=1"), ("POST", "/api/lists/refresh?id=1"), ("POST", "/api/refresh-otaku?acceptLoss=1")):  # fmt: skip
        assert client.open(path, method=method, headers=API).status_code == 403, path


# Lists and held-back files


def test_a_list_is_added_shown_read_and_removed(browser: Browser, site: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[int] = []
    monkeypatch.setattr(enqueue, "mapping_list", note(asked))
    browser.get("/manual/lists")
    for url in ("http://lists.example/", "https://localhost/x", "https://169.254.169.254/"):
        assert "aria-invalid" in browser.post("/manual/lists", {"title": "Bad", "url": url}, status=422)
    browser.post("/manual/lists", {"title": "Good list", "url": "https://lists.example/a.yaml"})
    browser.post("/manual/lists", {"title": "Again", "url": "https://lists.example/a.yaml"}, status=422)
    with site.app_context(), transaction() as session:
        list_id = session.scalars(select(MappingList.id)).one()
        session.add(MappingSource(name=f"list:{list_id}", url="x", rows_kept=40, rows_in_file=41, last_error="Too few.", held_rows=7))  # fmt: skip
        session.add(ListMapping(list_id=list_id, anilist_id=1, kind="show", trakt_id=1, spans=[]))
        session.add(Lease(name=f"cache:list:{list_id}", holder="worker", until=utcnow()))
    page = browser.get("/manual/lists")
    assert "Good list" in page
    assert "Too few." in page
    assert "Take these 7 rows anyway" in page
    browser.post(f"/manual/lists/{list_id}/accept")
    assert "anyway" not in browser.get("/manual/lists")
    browser.post(f"/manual/lists/{list_id}/refresh")
    assert asked == [list_id] * 3
    browser.post(f"/manual/lists/{list_id}/remove")
    browser.post(f"/manual/lists/{list_id}/refresh", status=404)
    with site.app_context(), transaction(readonly=True) as session:
        for table in (MappingList, ListMapping, MappingSource, Lease):
            assert session.scalar(select(func.count()).select_from(table)) == 0


def test_the_caches_say_why_a_file_was_held_back_and_take_it_when_told(small: Browser, site: Flask, monkeypatch: pytest.MonkeyPatch) -> None:  # fmt: skip
    asked: list[int] = []
    monkeypatch.setattr(enqueue, "cache", note(asked))
    why = "The new file has 90 usable rows, 10 % fewer than the 100 at hand."
    small.post("/caches/otaku/accept", status=404)
    with site.app_context(), transaction() as session:
        row = session.get_one(MappingSource, "otaku")
        row.last_error, row.held_rows = why, 90
    page = small.get("/?under=1")
    assert why in page
    assert "Take these 90 rows anyway" in page
    small.post("/caches/otaku/accept")
    assert asked == [1]
    assert "anyway" not in small.get("/?under=1")
    with site.app_context(), transaction(readonly=True) as session:
        assert session.get_one(MappingSource, "otaku").accepted_rows == 90


# Commands


@pytest.fixture
def run(site: Flask, config: Config, monkeypatch: pytest.MonkeyPatch) -> Any:
    for name in ("DATA_DIR", "DATABASE_URL", "SECRET_KEY"):
        monkeypatch.setenv(name, str(getattr(config, name)))

    def invoke(*arguments: str) -> tuple[int, str]:
        result = CliRunner().invoke(cli, arguments)
        return result.exit_code, result.output

    return invoke


def test_commands_export_look_and_import(small: Browser, site: Flask, hanako: int, run: Any, tmp_path: Path) -> None:
    file = tmp_path / "mine.yaml"
    file.write_text(write([ONE, {"anilistId": 5}], [OVERRIDE], "yaml"), encoding="utf-8")
    before = rows(site, hanako)
    code, said = run("import", str(file))
    assert (code, "1 new, 1 changed, 0 the same, 1 not taken. Nothing was saved." in said) == (0, True)
    code, said = run("import", str(file), "--apply")
    assert (code, "not taken: neither traktId" in said) == (1, True)
    assert rows(site, hanako) == before
    assert run("import", str(file), "--apply", "--leave-out", "--user", "hanako")[0] == 0
    assert rows(site, hanako)[0][16] == 70_001
    assert run("export", str(tmp_path / "out.json"))[0] == 0
    assert json.loads((tmp_path / "out.json").read_text())["overrides"] == [OVERRIDE]
    assert "format: tsuzuki-corrections" in run("export")[1]
    (tmp_path / "bad").write_text("<html>")
    assert run("import", str(tmp_path / "bad"))[0] == 1
    assert run("export", "--user", "nobody")[0] == 1
    code, said = run("export", str(tmp_path / "no-such-folder" / "mine.yaml"))
    assert (code, "cannot be written: No such file or directory." in said) == (1, True)


def test_a_command_takes_a_file_that_was_held_back(small: Browser, site: Flask, run: Any) -> None:
    assert run("accept", "otaku")[0] == 1
    with site.app_context(), transaction() as session:
        session.get_one(MappingSource, "otaku").held_rows = 90
    assert run("accept", "otaku")[0] == 0
    with site.app_context(), transaction(readonly=True) as session:
        assert session.get_one(MappingSource, "otaku").accepted_rows == 90
    with site.app_context():
        assert caches.accept_loss("fribbs") is False
