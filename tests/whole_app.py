"""What can be seen of a running Tsuzuki from outside: its processes by their part, its runs, the simulated history."""

from __future__ import annotations

from collections import Counter
from typing import Any

import requests
from sqlalchemy import create_engine, text

from webapp.config import _database_url
from webapp.launch.running import Running, family

ENDED = ("succeeded", "partial", "failed", "cancelled", "needs_approval")
Place = tuple[str, int, int, int]  # kind, Trakt id, season, number


def places(rows: list[dict[str, Any]]) -> Counter[Place]:
    """How many plays each place of a history (or of the expected plays) has."""
    return Counter((row["kind"], row["trakt_id"], row["season"], row["number"]) for row in rows)


def processes(app: Running, word: str) -> set[int]:
    """Ids of the app's living processes with `word` in their command."""
    return {pid for pid, command in family(app.pid).items() if word in command}


def parent_of_workers(app: Running) -> set[int]:
    """`python -m jobs.worker` itself, which starts the queue workers and the tick."""
    return {min(workers)} if (workers := processes(app, "jobs.worker")) else set()


def horses(app: Running) -> set[int]:
    """Work horses: processes below a queue worker, one per job at work."""
    workers = processes(app, "jobs.worker")
    depth = {pid: len([p for p in workers if pid in family(p)]) for pid in workers}
    return {pid for pid, levels in depth.items() if levels == 3}


def busy_workers(app: Running) -> set[int]:
    """Queue workers that have a work horse."""
    at_work = horses(app)
    workers = processes(app, "jobs.worker") - at_work - parent_of_workers(app)
    return {pid for pid in workers if set(family(pid)) & at_work}


def run_row(app: Running, run_id: int, token: str) -> dict[str, Any]:
    """`GET /api/runs/<id>`; empty while the web server is away."""
    try:
        answer = requests.get(
            f"{app.base_url}/api/runs/{run_id}", headers={"Authorization": f"Bearer {token}"}, timeout=30
        )
        row: dict[str, Any] = answer.json() if answer.status_code == 200 else {}
    except requests.RequestException:
        return {}
    return row


def rows(database_url: str, statement: str, **values: Any) -> list[tuple[Any, ...]]:
    """What a statement finds in the app's database."""
    engine = create_engine(_database_url(database_url))
    with engine.connect() as connection:
        found = [tuple(row) for row in connection.execute(text(statement), values)]
    engine.dispose()
    return found


def change(database_url: str, statement: str) -> None:
    """Write into the app's database, past the app."""
    engine = create_engine(_database_url(database_url))
    with engine.begin() as connection:
        connection.execute(text(statement))
    engine.dispose()
