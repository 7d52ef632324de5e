"""`./run bench pages`: how long every page and fragment takes with a large library, in one process, on SQLite.

Fills a new instance with made-up rows (20,000 titles, 100,000 plays and 200,000 log lines unless said otherwise) and asks every
address of `tests.web.addresses` several times through the app itself, signed in; prints the median in wall and in CPU time, the
number of statements and the size before compression. Stands with the tests because it brings its own rows.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass

from flask import Flask

from tests.big_library import Library
from tests.web.addresses import Address, addresses
from tests.web.conftest import PASSWORD, Browser, counted
from webapp.app import create_app
from webapp.auth import hash_password
from webapp.config import load
from webapp.extensions import db
from webapp.launch import gunicorn_conf

BAR = 30.0  # milliseconds


@dataclass(frozen=True, slots=True)
class Line:
    """Milliseconds of one page: median and slowest by the wall, median of the CPU; statements; kB."""

    page: str
    median: float
    cpu: float
    slowest: float
    queries: int
    kb: float


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="bench pages", description=__doc__)
    parser.add_argument("--titles", type=int, default=20_000)
    parser.add_argument("--plays", type=int, default=100_000)
    parser.add_argument("--logs", type=int, default=200_000)
    parser.add_argument("--runs", type=int, default=3_000)
    parser.add_argument("--times", type=int, default=15, help="how often each page is asked")
    parser.add_argument("--only", default="", help="addresses that hold this text")
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args(argv)
    with tempfile.TemporaryDirectory(prefix="tsuzuki-bench-") as folder:
        app = create_app(load({"DATA_DIR": folder, "DATABASE_URL": f"sqlite:///{folder}/b.db", "SECRET_KEY": "b" * 40}))
        with app.app_context():
            db.create_all()
            known = Library(hash_password(PASSWORD), titles=given.titles, plays=given.plays, logs=given.logs, runs=given.runs).fill()  # fmt: skip
            db.session.remove()
        browser = Browser(app).sign_in()
        gunicorn_conf.post_worker_init(None)  # as in a server that has started
        load_before = os.getloadavg()[0]
        lines = measure(app, browser, [one for one in addresses(known) if given.only in str(one)], given.times)
        with app.app_context():
            db.engine.dispose()
    sizes = {"titles": given.titles, "plays": given.plays, "logs": given.logs, "processors": os.cpu_count(), "load": [round(load_before, 1), round(os.getloadavg()[0], 1)]}  # fmt: skip
    sys.stdout.write(json.dumps({**sizes, "pages": [asdict(line) for line in lines]}, indent=1) + "\n" if given.json else table(sizes, lines))  # fmt: skip
    return 0


def measure(app: Flask, browser: Browser, pages: Sequence[Address], times: int) -> list[Line]:
    """All pages once, `times` times over: a moment in which the machine is slow meets a bit of each, not all of one."""
    queries = [_first(app, browser, page) for page in pages]
    rounds = [[_asked(browser, page) for page in pages] for _ in range(times)]
    return [
        Line(
            str(page),
            round(statistics.median(wall for wall, _cpu, _kb in asked), 1),
            round(statistics.median(cpu for _wall, cpu, _kb in asked), 1),
            round(max(wall for wall, _cpu, _kb in asked), 1),
            statements,
            round(asked[-1][2], 1),
        )
        for page, statements, asked in zip(pages, queries, zip(*rounds, strict=True), strict=True)
    ]


def _first(app: Flask, browser: Browser, page: Address) -> int:
    """How many statements a page takes. A page that does not answer ends the bench."""
    with counted(app) as statements:
        answer = browser.client.get(page.path, headers=page.headers)
        if answer.status_code not in (200, 204, 286):
            raise SystemExit(f"{page}: {answer.status_code}")
        return len(statements)


def _asked(browser: Browser, page: Address) -> tuple[float, float, float]:
    """Milliseconds by the wall and of the CPU, and kB."""
    began, used = time.perf_counter(), time.process_time()
    answer = browser.client.get(page.path, headers=page.headers)
    size = len(answer.get_data()) / 1024
    return (time.perf_counter() - began) * 1000, (time.process_time() - used) * 1000, size


def table(sizes: dict[str, object], lines: Sequence[Line]) -> str:
    out = [f"{sizes['titles']:,} titles, {sizes['plays']:,} plays, {sizes['logs']:,} log lines; {sizes['processors']} processors, load {sizes['load']}"]  # fmt: skip
    out.append(f"{'page':58}{'median':>9}{'CPU':>9}{'slowest':>9}{'queries':>9}{'kB':>8}")
    out += [f"{x.page:58}{x.median:>6.1f} ms{x.cpu:>6.1f} ms{x.slowest:>6.1f} ms{x.queries:>9}{x.kb:>8.1f}" for x in lines]  # fmt: skip
    over = sum(line.median >= BAR for line in lines)
    out.append(f"{len(lines)} pages and fragments, {over} of them at or above {BAR:.0f} ms")
    return "\n".join(out) + "\n"


if __name__ == "__main__":
    raise SystemExit(main())
