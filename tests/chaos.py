"""`./run chaos --rounds N [--seed S]`: a sync is killed at a random moment, again and again; every play must arrive once.

Each round starts the whole app (web, workers, Redis) with an account whose list has 120 entries, lets it sync against the
simulator, whose readings lag behind its writings, and kills with SIGKILL, at a random moment: the worker alone, its work
horse alone, both, the parent of the workers, Redis, the web server, or everything at once. What does not come back by itself is started
again. When the run has ended, the simulated history is compared with the plays that were expected, and one more sync must
find nothing to do. The victims take turns with the seeds; a seed decides the library and the moment too. With odd seeds ratings and the
watchlist go out as well, and half of these rounds kill only once these are on their way: what Trakt has of them then is compared too.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import shutil
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Final

import requests

from tests import chaos_world
from tests.chaos_world import Mark
from tests.whole_app import (
    ENDED,
    Place,
    busy_workers,
    change,
    horses,
    parent_of_workers,
    places,
    processes,
    rows,
    run_row,
)
from webapp.launch.running import Running, family
from webapp.launch.start import free_port
from webapp.simulator import process as simulator

ENTRIES: Final = 120
TOKEN: Final = "chaos-token"
PATIENCE: Final = 180.0  # seconds for a run to end after the kill
LAG: Final = 0.4  # seconds by which the simulator's readings are behind
SHORTENED: Final = {
    "TRAKT_SETTLE_SECONDS": "1",
    "TICK_SECONDS": "0.3",
    "HEARTBEAT_SECONDS": "0.2",
    "TAKEOVER_SECONDS": "2",
    "HTTP_WRITE_SECONDS": "3",
}
VICTIMS: Final[dict[str, Callable[[Running], set[int]]]] = {
    "worker": busy_workers,
    "horse": horses,
    "worker and horse": lambda app: busy_workers(app) | horses(app),
    "parent of workers": parent_of_workers,
    "Redis": lambda app: processes(app, "redis-server"),
    "web server": lambda app: processes(app, "gunicorn"),
    "whole app": lambda app: set(family(app.pid)),
}


@dataclass
class Round:
    """What one round was, and what came of it."""

    seed: int
    victim: str
    after: float  # seconds from the command to the kill
    batch: int  # plays a request
    phase: str = ""  # of the run when it was killed
    attempts: int = 0  # how often the run was begun
    seconds: float = 0.0  # from the command to the end of the run
    plays: int = 0
    twice: int = 0
    missing: int = 0
    elsewhere: int = 0  # at a place where nothing was expected
    sent_again: int = 0  # by the sync after it
    beyond: bool = False  # ratings and the watchlist go out too
    marks: int = 0  # of these
    marks_twice: int = 0
    marks_missing: int = 0  # or another one in its place
    marks_elsewhere: int = 0
    trouble: str = ""

    @property
    def right(self) -> bool:
        wrong = self.twice + self.missing + self.elsewhere + self.sent_again
        return not (wrong or self.marks_twice or self.marks_missing or self.marks_elsewhere or self.trouble)

    def line(self) -> str:
        outcome = "right" if self.right else f"WRONG {self.trouble}"
        return (
            f"seed {self.seed:>5}  {self.victim:<17} after {self.after:5.2f} s ({self.phase or 'nothing yet'}), ended after"
            f" {self.seconds:5.1f} s in attempt {self.attempts}: {self.plays:,} plays, {self.twice} twice,"
            f" {self.missing} missing{self._beyond()}  {outcome}"
        )

    def _beyond(self) -> str:
        return f"; {self.marks} beyond, {self.marks_twice} twice, {self.marks_missing} missing" if self.beyond else ""


@dataclass
class Report:
    """The rounds together."""

    rounds: list[Round] = field(default_factory=list)

    @property
    def right(self) -> bool:
        return bool(self.rounds) and all(one.right for one in self.rounds)

    def text(self) -> str:
        lines = [f"{'killed':<18}{'rounds':>7}{'begun again':>13}{'plays':>10}{'twice':>7}{'missing':>9}"]
        for victim in (*VICTIMS, "all"):
            chosen = [one for one in self.rounds if victim in (one.victim, "all")]
            again = sum(one.attempts > 1 for one in chosen)
            numbers = [sum(getattr(one, name) for one in chosen) for name in ("plays", "twice", "missing")]
            lines.append(f"{victim:<18}{len(chosen):>7}{again:>13}{numbers[0]:>10,}{numbers[1]:>7}{numbers[2]:>9}")
        elsewhere, again = (sum(getattr(one, name) for one in self.rounds) for name in ("elsewhere", "sent_again"))
        lines.append(f"{elsewhere} plays where none belong, {again} sent again by the next sync")
        wrong = [str(one.seed) for one in self.rounds if not one.right]
        beyond = [one for one in self.rounds if one.beyond]
        marks = [
            sum(getattr(one, f"marks{name}") for one in beyond) for name in ("", "_twice", "_missing", "_elsewhere")
        ]
        lines.append(
            f"ratings and watchlist in {len(beyond)} rounds: {marks[0]:,}, {marks[1]} twice, {marks[2]} missing, {marks[3]} where none belong"
        )
        lines.append(
            f"{len(self.rounds)} rounds: {sum(one.twice for one in self.rounds)} duplicates,"
            f" {sum(one.missing for one in self.rounds)} missing" + (f"; wrong: {', '.join(wrong)}" if wrong else "")
        )
        return "\n".join(lines)


def main(argv: Sequence[str] | None = None) -> int:
    """Exit status 1 when anything was sent twice, is missing, or did not end."""
    parser = argparse.ArgumentParser(prog="./run chaos", description=__doc__)
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--seed", type=int, default=1, help="of the first round; the others count on from it")
    parser.add_argument("--lanes", type=int, default=max(1, (os.cpu_count() or 2) // 2), help="rounds at the same time")
    parser.add_argument("--json", action="store_true", help="print the rounds as JSON")
    parser.add_argument("--keep", type=Path, help="keep the data and consoles of wrong rounds in this folder")
    given = parser.parse_args(argv)
    if given.rounds < 1 or given.lanes < 1:
        parser.error("there is at least one round, and one lane")
    times = ", ".join(f"{name}={value}" for name, value in SHORTENED.items())
    sys.stderr.write(f"{ENTRIES} entries a round; shortened times: {times}; readings lag {LAG} s\n")
    report = Report()
    with ThreadPoolExecutor(given.lanes) as lanes:
        seeds = range(given.seed, given.seed + given.rounds)
        for one in lanes.map(lambda seed: play(seed, given.keep), seeds):
            report.rounds.append(one)
            sys.stderr.write(f"{len(report.rounds):>4}  {one.line()}\n")
    sys.stdout.write(json.dumps([asdict(one) for one in report.rounds]) if given.json else report.text())
    sys.stdout.write("\n")
    return 0 if report.right else 1


def play(seed: int, keep: Path | None = None, database_url: str | None = None) -> Round:
    """One round in a folder of its own, from an empty database (SQLite, or the one given) to the comparison."""
    dice = random.Random(seed)
    victim = list(VICTIMS)[seed % len(VICTIMS)]
    # A sync takes about a second to read and to plan, then a little more than a second for each request of plays.
    one = Round(
        seed, victim, batch=dice.choice((100, 150, 200, 250)), after=dice.uniform(0.1, 14.0), beyond=seed % 2 == 1
    )
    folder = Path(tempfile.mkdtemp(prefix="tsuzuki-chaos-"))
    try:
        library = folder / "library.json"
        marks = chaos_world.write(library, ENTRIES, seed, beyond=one.beyond)
        with simulator.start(data=library) as sim:
            _trouble(sim, dice)
            _round(one, sim, folder, dice, database_url, _rated(sim, marks, dice))
    finally:
        if keep and not one.right:
            shutil.copytree(folder, keep / str(seed), dirs_exist_ok=True, ignore=shutil.ignore_patterns("*.sock"))
        shutil.rmtree(folder, ignore_errors=True)  # a process that was killed may still be writing its last line
    return one


def _trouble(sim: simulator.Running, dice: random.Random) -> None:
    """Readings lag; plays take a moment, before or after they are applied, so that a death meets an open request."""
    sim.post("settings", {"lag_seconds": LAG, "lag_activities": True})
    sim.post(
        "faults",
        [
            {
                "kind": dice.choice(("delay", "late_answer")),
                "service": "trakt",
                "method": "POST",
                "path": path,
                "seconds": round(dice.uniform(0.1, 0.9), 2),
                "count": 1,
            }
            for path, count in (("/sync/history", 60), ("/sync/ratings", 5), ("/sync/watchlist", 5))
            for _ in range(count)
        ],
    )


def _rated(sim: simulator.Running, marks: list[Mark], dice: random.Random) -> Counter[Mark]:
    """What Trakt should have beyond plays in the end. Some of it is there before, with a rating of its own, which stays."""
    theirs = [(*mark[:4], None if mark[4] is None else 1) for mark in dice.sample(marks, min(len(marks), 6))]
    names = ("kind", "target", "trakt_id", "season", "value")
    sim.post("marks", {"add": [dict(zip(names, mark, strict=True)) for mark in theirs]})
    return Counter([*(mark for mark in marks if mark[:4] not in {row[:4] for row in theirs}), *theirs])


def _round(
    one: Round,
    sim: simulator.Running,
    folder: Path,
    dice: random.Random,
    database_url: str | None,
    marks: Counter[Mark],
) -> None:
    had = _scrobbled(sim, dice)
    settings = sim.env | SHORTENED | {
        "ADMIN_USERNAME": "chaos",
        "ADMIN_PASSWORD": "chaos password",
        "API_TOKEN": TOKEN,
        "HOST": "127.0.0.1",
        "PORT": str(free_port()),
        "DATA_DIR": str(folder / "data"),
        "DATABASE_URL": database_url or f"sqlite:///{folder / 'chaos.db'}",
        "TRAKT_BATCH_SIZE": str(one.batch),
    }  # fmt: skip
    with Running(settings, folder / "first.log") as app:
        _caches(app)
        if one.beyond:
            change(settings["DATABASE_URL"], "UPDATE users SET send_ratings = true, send_watchlist = true")
        began = time.monotonic()
        run_id: int = _post(app, "/api/full-sync?wait=0").json()["runId"]
        if one.beyond and dice.random() < 0.5:
            one.after = _once_beyond(app, began) + one.after / 10
        time.sleep(max(one.after - (time.monotonic() - began), 0.0))
        row = run_row(app, run_id, TOKEN)
        one.phase = " ".join(filter(None, (row.get("status"), (row.get("progress") or {}).get("phase"))))
        for pid in VICTIMS[one.victim](app):
            _kill(pid)
        if one.victim != "whole app":
            _finish(one, app, sim, run_id, began, had, marks)
    if one.victim == "whole app":
        with Running(settings, folder / "second.log") as app:
            _finish(one, app, sim, run_id, began, had, marks)


def _once_beyond(app: Running, began: float) -> float:
    """Wait until ratings are on their way, or the run has ended; seconds since it began."""
    while time.monotonic() - began < PATIENCE:
        ((claimed,),) = rows(app.settings["DATABASE_URL"], "SELECT count(*) FROM extras")
        if claimed:
            break
        time.sleep(0.02)
    return time.monotonic() - began


def _kill(pid: int) -> None:
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        return  # it has just ended by itself


def _scrobbled(sim: simulator.Running, dice: random.Random) -> Counter[Place]:
    """Some of the expected plays are on Trakt before the sync, from a media centre. Returns the history as it stands then."""
    expected = sim.get("expected")["plays"]
    sim.post("plays", {"add": dice.sample(expected, 25)})
    return places(sim.get("history"))


def _post(app: Running, path: str) -> requests.Response:
    return requests.post(app.base_url + path, headers={"Authorization": f"Bearer {TOKEN}"}, timeout=200)


def _caches(app: Running) -> None:
    """Wait for the first filling, so that the seconds until the kill are seconds of the sync."""
    deadline = time.monotonic() + PATIENCE
    url = f"{app.base_url}/api/refresh-anime-lists?check=1"
    while time.monotonic() < deadline:
        if requests.get(url, headers={"Authorization": f"Bearer {TOKEN}"}, timeout=30).json().get("lastSync"):
            return
        time.sleep(0.1)
    raise TimeoutError(f"the caches were not filled within {PATIENCE:.0f} s\n{app.said()}")


def _finish(
    one: Round,
    app: Running,
    sim: simulator.Running,
    run_id: int,
    began: float,
    had: Counter[Place],
    marks: Counter[Mark],
) -> None:
    """Wait for the run's end, compare the history with what was expected, and sync once more."""
    deadline = time.monotonic() + PATIENCE
    while (row := run_row(app, run_id, TOKEN)).get("status") not in ENDED and time.monotonic() < deadline:
        time.sleep(0.1)
    one.seconds = time.monotonic() - began
    ((one.attempts,),) = rows(app.settings["DATABASE_URL"], "SELECT attempt FROM runs WHERE id = :id", id=run_id)
    _compare(one, places(sim.get("expected")["plays"]), places(sim.get("history")), had)
    ever = _compare_marks(one, sim, marks)
    again = _post(app, "/api/full-sync?wait=120").json()
    one.sent_again = len(sim.get("history")) - one.plays + len(sim.get("marks?ever=1")) - ever
    ends = {"the run": row, "the next sync": again}
    one.trouble = ", ".join(
        f"{name} is {end.get('status')} {end.get('reason') or ''}".strip()
        for name, end in ends.items()
        if end.get("status") != "succeeded"
    )


def _compare(one: Round, wanted: Counter[Place], now: Counter[Place], had: Counter[Place]) -> None:
    one.plays = now.total()
    one.twice = sum(max(0, now[place] - max(1, had[place])) for place in wanted)
    one.missing = sum(now[place] == 0 for place in wanted)
    one.elsewhere = sum(count for place, count in now.items() if place not in wanted)


def _compare_marks(one: Round, sim: simulator.Running, wanted: Counter[Mark]) -> int:
    """How many were ever put on Trakt."""
    ever = [mark for mark in sim.get("marks?ever=1") if mark["kind"] != "dropped"]
    times = Counter((mark["kind"], *mark["target"]) for mark in ever)
    now = Counter((m["kind"], m["target"], m["trakt_id"], m["season"], m["value"]) for m in sim.get("marks"))
    one.marks = now.total()
    one.marks_twice = sum(count - 1 for count in times.values())
    one.marks_missing = (wanted - now).total()
    one.marks_elsewhere = (now - wanted).total() - sum(
        1 for mark in now if mark[:4] in {row[:4] for row in wanted - now}
    )
    return len(ever)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
