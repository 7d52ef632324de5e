"""`./run bench sync --data FOLDER`: a completed sync of a real list against the simulator, from outside, twice.

Starts the simulator with the folder's checked placements and the whole app with the settings that a new user gives,
sends `POST /api/completed-sync` and compares the simulated Trakt account with the truth. Nothing is measured inside.
"""

from __future__ import annotations

import json
import sqlite3
import tempfile
import threading
import time
from collections import Counter
from contextlib import closing
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Final

import click
import requests

from webapp.launch.running import Running, memory
from webapp.launch.start import free_port
from webapp.simulator import process as simulator

TOKEN: Final = "bench-token"  # noqa: S105 - of an instance that lives for a minute
PASSED: Final = (
    "ANILIST_API_URL", "ANILIST_AUTH_URL", "ANILIST_ACCESS_TOKEN", "TRAKT_API_URL", "TRAKT_AUTH_URL",
    "TRAKT_CLIENT_ID", "TRAKT_ACCESS_TOKEN", "TRAKT_REFRESH_TOKEN", "OTAKU_URL", "FRIBBS_URL", "ANIME_LISTS_URL",
)  # fmt: skip
DONE: Final = ("COMPLETED", "REPEATING")


@dataclass
class Report:
    """What one measurement found; plays unless said otherwise."""

    entries: int = 0  # completed entries of the list
    wanted: int = 0
    sent: int = 0
    right: int = 0
    wrong: int = 0  # at a place where no completed entry belongs
    duplicates: int = 0
    missing: int = 0
    skipped_entries: int = 0
    skipped_by_reason: dict[str, int] = field(default_factory=dict)
    skipped_without_reason: int = 0  # entries with missing plays that the run says nothing of
    requests: dict[str, int] = field(default_factory=dict)
    seconds: float = 0.0
    memory_mb: float = 0.0  # highest PSS of all processes
    second_sent: int = 0
    second_requests: dict[str, int] = field(default_factory=dict)
    second_seconds: float = 0.0
    answer: dict[str, Any] = field(default_factory=dict)


class Gauge(threading.Thread):
    """Looks at the memory of a family of processes and keeps the highest sum."""

    def __init__(self, pid: int) -> None:
        super().__init__(daemon=True)
        self.pid, self.highest, self._ended = pid, 0, threading.Event()

    def run(self) -> None:
        while not self._ended.wait(0.5):
            self.highest = max(self.highest, memory(self.pid))

    def end(self) -> float:
        """In MB."""
        self._ended.set()
        self.join()
        return self.highest / 1024


@click.command()
@click.option(
    "--data",
    type=click.Path(path_type=Path, exists=True),
    required=True,
    help="Folder with placements_dev.json.gz, or such a file.",
)
@click.option("--entries", default=500, show_default=True, help="How many entries stand on the list.")
@click.option("--seed", default=1, show_default=True, help="Which ones.")
@click.option("--json", "as_json", is_flag=True, help="Print the numbers as JSON.")
@click.option("--keep", type=click.Path(path_type=Path), help="Keep DATA_DIR and the console's log in this folder.")
def main(data: Path, entries: int, seed: int, *, as_json: bool, keep: Path | None) -> None:
    """Measure a completed sync, and the one after it."""
    file = data / "placements_dev.json.gz" if data.is_dir() else data
    with tempfile.TemporaryDirectory(prefix="tsuzuki-bench-") as temporary:
        folder = keep or Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        with simulator.start(data=file, limit_entries=entries, seed=seed) as sim:
            report = measure(sim, folder)
    click.echo(json.dumps(asdict(report), indent=2) if as_json else text_of(report))


def measure(sim: simulator.Running, folder: Path) -> Report:
    """Both calls against a running simulator; `folder` gets DATA_DIR and the log."""
    settings = {name: sim.env[name] for name in PASSED} | {
        "ADMIN_USERNAME": "bench",
        "ADMIN_PASSWORD": "bench-password",
        "API_TOKEN": TOKEN,
        "CRON_SECRET": "bench-cron",
        "HOST": "127.0.0.1",
        "PORT": str(free_port()),
        "DATA_DIR": str(folder.resolve() / "data"),
    }
    with Running(settings, folder / "console.log") as app:
        gauge = Gauge(app.pid)
        gauge.start()
        report = Report()
        first, report.seconds, report.requests = _call(app, sim)
        report.answer = first
        _compare(report, sim, _items(Path(settings["DATA_DIR"]), first["runId"]))
        again, report.second_seconds, report.second_requests = _call(app, sim)
        report.second_sent = int(again.get("addedEpisodes", 0)) + int(again.get("addedMovies", 0))
        report.duplicates += len(sim.get("history")) - report.sent
        report.memory_mb = gauge.end()
    return report


def _call(app: Running, sim: simulator.Running) -> tuple[dict[str, Any], float, dict[str, int]]:
    """One command: its answer, the seconds it took, and the requests that the simulator saw meanwhile."""
    sim.post("requests/reset")
    began = time.monotonic()
    answer = requests.post(
        f"{app.base_url}/api/completed-sync",
        params={"wait": 600},
        headers={"Authorization": f"Bearer {TOKEN}"},
        timeout=700,
    )
    seconds = time.monotonic() - began
    body = answer.json()
    if answer.status_code != 200:
        raise click.ClickException(f"HTTP {answer.status_code}: {body}\n{app.said()}")
    seen = {service: int(counts["total"]) for service, counts in sim.get("requests").items()}
    return body, seconds, {service: number for service, number in seen.items() if number}


def _items(data_dir: Path, run_id: int) -> dict[int, str]:
    """The reason (or the outcome) that the run gives for an entry, by AniList id; read from its database."""
    with closing(sqlite3.connect(f"file:{data_dir / 'tsuzuki.db'}?mode=ro", uri=True)) as database:
        rows = database.execute("SELECT anilist_id, reason, outcome FROM run_items WHERE run_id = ?", (run_id,))
        return {anilist_id: reason or outcome for anilist_id, reason, outcome in rows}


def _compare(report: Report, sim: simulator.Running, items: dict[int, str]) -> None:
    expected = [play for play in sim.get("expected")["plays"] if play["status"] in DONE]
    history = Counter(_place(row) for row in sim.get("history"))
    truth = Counter(_place(row) for row in expected)
    report.entries = len({play["anilist_id"] for play in expected})
    report.wanted = len(expected)
    report.sent = sum(history.values())
    report.wrong = sum(number for place, number in history.items() if place not in truth)
    report.right = sum(min(number, truth[place]) for place, number in history.items())
    report.duplicates = report.sent - report.right - report.wrong
    missing = [play for play in expected if not history[_place(play)]]
    report.missing = len(missing)
    entries = {play["anilist_id"] for play in missing}
    reasons = Counter(items[entry] for entry in entries if items.get(entry, "sent") != "sent")
    report.skipped_entries = len(entries)
    report.skipped_by_reason = dict(reasons.most_common())
    report.skipped_without_reason = len(entries) - sum(reasons.values())


def _place(row: dict[str, Any]) -> tuple[str, int, int, int]:
    return row["kind"], row["trakt_id"], row["season"] or 0, row["number"] or 0


def text_of(report: Report) -> str:
    """The report for people."""
    lines = [
        f"entries              {report.entries} completed",
        f"plays                {report.sent} sent of {report.wanted}",
        f"                     {report.right} right, {report.wrong} wrong, {report.duplicates} twice, {report.missing} missing",
        f"entries not sent     {report.skipped_entries} in whole or in part, {report.skipped_without_reason} without a reason",
        *(f"                     {number} {reason}" for reason, number in report.skipped_by_reason.items()),
        f"requests             {_counts(report.requests)}",
        f"seconds              {report.seconds:.1f}",
        f"memory (PSS)         {report.memory_mb:.0f} MB, all processes at their highest",
        f"second call          {report.second_sent} plays, {report.second_seconds:.1f} s, {_counts(report.second_requests)}",
    ]
    return "\n".join(lines)


def _counts(requests_seen: dict[str, int]) -> str:
    return ", ".join(f"{service} {number}" for service, number in sorted(requests_seen.items())) or "none"


if __name__ == "__main__":
    main()
