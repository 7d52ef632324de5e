"""`./run bench pages`: how long the pages take with a large library, in one process, on SQLite.

Fills a new instance with made-up rows (40,000 titles, 100,000 plays and 200,000 log lines unless said otherwise) and asks each page
several times through the app itself; prints the median and the number of statements. Stands with the tests because it
brings its own rows.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

from flask import Flask
from sqlalchemy import event, insert

from tests.web.conftest import PASSWORD, Browser
from webapp import create_app
from webapp.auth import hash_password
from webapp.config import load
from webapp.extensions import db
from webapp.models import Connection, Entry, Log, MappingSource, Media, PlayRow, Run, RunItem, TraktShow, User, utcnow

PAGES = (
    "/", "/mappings", "/mappings?q=title+39", "/mappings?q=題名", "/mappings?state=needs_you&sort=title", "/mappings?offset=39900",
    "/mappings/20000", "/review", "/history", "/history?q=title+77", "/runs", "/runs/1", "/logs", "/sync", "/settings",
    "/mappings/why?q=title+123",
)  # fmt: skip
PART = 5000


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="bench pages", description=__doc__)
    parser.add_argument("--titles", type=int, default=40_000)
    parser.add_argument("--plays", type=int, default=100_000)
    parser.add_argument("--logs", type=int, default=200_000)
    parser.add_argument("--times", type=int, default=15)
    given = parser.parse_args(argv)
    with tempfile.TemporaryDirectory(prefix="tsuzuki-bench-") as folder:
        app = create_app(load({"DATA_DIR": folder, "DATABASE_URL": f"sqlite:///{folder}/b.db", "SECRET_KEY": "b" * 40}))
        with app.app_context():
            db.create_all()
            fill(given.titles, given.plays, given.logs)
            db.session.remove()
        sys.stdout.write(f"{given.titles:,} titles, {given.plays:,} plays, {given.logs:,} log lines\n")
        measure(app, given.times)
        with app.app_context():
            db.engine.dispose()
    return 0


def fill(titles: int, plays: int, logs: int) -> None:
    now = utcnow()
    person = User(username="hanako", password_hash=hash_password(PASSWORD), is_admin=True)
    db.session.add(person)
    db.session.flush()
    user_id = person.id
    for service in ("anilist", "trakt"):
        db.session.add(
            Connection(user_id=user_id, service=service, account_id="1", account_name="hanako", checked_at=now)
        )
    for name in ("otaku", "fribbs", "anime_lists"):
        db.session.add(MappingSource(name=name, url="http://localhost", rows_kept=30_000, last_sync=now))
    db.session.add(
        Run(id=1, user_id=user_id, mode="full", trigger="page", status="succeeded", finished_at=now, plays_sent=plays)
    )
    db.session.commit()
    slots = {"1": [[n, n, None, f"Episode {n}", 24] for n in range(1, 13)]}
    many(
        TraktShow,
        ({"trakt_id": n, "title": f"Show {n}", "seasons": slots, "fetched_at": now} for n in range(1, titles // 2 + 1)),
    )
    many(
        Media,
        (
            {
                "anilist_id": n, "format": "TV", "status": "FINISHED", "episodes": 12, "title_romaji": f"Title {n}",
                "title_english": f"The title {n}", "title_native": f"題名 {n}", "search_text": f"title {n} the title {n} 題名 {n}",
                "is_adult": False, "fetched_at": now,
            }
            for n in range(1, titles + 1)
        ),
    )  # fmt: skip
    piles = ("placed",) * 94 + ("needs_you",) * 2 + ("no_match",) * 3 + ("waiting",)
    many(
        Entry,
        (
            {
                "user_id": user_id, "account_id": "1", "anilist_id": n, "status": "COMPLETED", "progress": 12, "seen_at": now,
                "pile": piles[n % 100], "reason": None if piles[n % 100] == "placed" else "season_unknown", "kind": "show",
                "trakt_id": n // 2 + 1, "list_updated_at": now - timedelta(minutes=n), "placed_at": now,
                "placement": {"kind": "show", "trakt_id": n // 2 + 1, "spans": [{"from": 1, "to": 12, "season": 1, "start": 1}], "source": "fribbs"},
            }
            for n in range(1, titles + 1)
        ),
    )  # fmt: skip
    many(
        PlayRow,
        (
            {
                "user_id": user_id, "source_account": "1", "anilist_id": n // 12 + 1, "episode": n % 12 + 1, "target_account": "1",
                "kind": "episode", "trakt_id": n // 12 + 1, "season": 1, "number": n % 12 + 1, "state": "sent", "run_id": 1,
                "watched_at": now - timedelta(minutes=45 * n), "sent_at": now - timedelta(minutes=n),
            }
            for n in range(plays)
        ),
    )  # fmt: skip
    many(RunItem, ({"run_id": 1, "user_id": user_id, "anilist_id": n, "outcome": "sent"} for n in range(1, titles + 1)))
    many(Log, ({"user_id": user_id, "run_id": 1, "level": "info", "message": f"Line {n}"} for n in range(logs)))


def many(table: Any, rows: Iterator[dict[str, Any]]) -> None:
    part: list[dict[str, Any]] = []
    for row in rows:
        part.append(row)
        if len(part) == PART:
            db.session.execute(insert(table), part)
            part = []
    if part:
        db.session.execute(insert(table), part)
    db.session.commit()


@contextmanager
def counted(app: Flask) -> Iterator[list[str]]:
    statements: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        statements.append(statement)

    with app.app_context():
        engine = db.engine
    event.listen(engine, "before_cursor_execute", note)
    yield statements
    event.remove(engine, "before_cursor_execute", note)


def measure(app: Flask, times: int) -> None:
    browser = Browser(app).sign_in()
    sys.stdout.write(f"{'page':40}{'median':>10}{'slowest':>10}{'statements':>12}{'kB':>8}\n")
    for path in PAGES:
        seconds = []
        with counted(app) as statements:
            answer = browser.client.get(path)
            number = len(statements)
        if answer.status_code != 200:
            raise SystemExit(f"{path}: {answer.status_code}")
        for _ in range(times):
            began = time.perf_counter()
            answer = browser.client.get(path)
            answer.get_data()
            seconds.append(time.perf_counter() - began)
        size = len(answer.get_data()) / 1024
        median, slowest = statistics.median(seconds) * 1000, max(seconds) * 1000
        sys.stdout.write(f"{path:40}{median:>7.1f} ms{slowest:>7.1f} ms{number:>12}{size:>8.1f}\n")


if __name__ == "__main__":
    raise SystemExit(main())
