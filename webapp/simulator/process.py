"""Start and stop the simulator as a process: for tests, the demo and measurements."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import requests

from webapp.simulator import constants

ROOT = Path(__file__).resolve().parent.parent.parent
READY = "simulator ready at "


class SimulatorFailed(RuntimeError):
    """The process ended before it was ready; the message holds what it said."""


@dataclass(frozen=True, slots=True)
class Running:
    """A running simulator: its address and the settings that point Tsuzuki at it."""

    base_url: str
    env: dict[str, str]
    process: subprocess.Popen[str]

    def stop(self) -> None:
        """End the process and wait for it."""
        self.process.terminate()
        try:
            self.process.wait(5)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait(5)
        if self.process.stdout:
            self.process.stdout.close()

    def get(self, path: str) -> Any:
        """JSON of `/_sim/<path>`. Raises for anything but 200."""
        answer = requests.get(f"{self.base_url}/_sim/{path}", timeout=60)
        answer.raise_for_status()
        return answer.json()

    def post(self, path: str, body: object = None) -> Any:
        """POST to `/_sim/<path>`. Raises for anything but 200."""
        answer = requests.post(f"{self.base_url}/_sim/{path}", json={} if body is None else body, timeout=60)
        answer.raise_for_status()
        return answer.json()

    def __enter__(self) -> Running:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()


def environment(base_url: str) -> dict[str, str]:
    """Settings of Tsuzuki for a simulator at `base_url`, signed in as its first person."""
    return {
        "ANILIST_API_URL": f"{base_url}/anilist/graphql",
        "ANILIST_AUTH_URL": f"{base_url}/anilist/oauth",
        "ANILIST_CLIENT_ID": constants.ANILIST_CLIENT_ID,
        "ANILIST_CLIENT_SECRET": constants.ANILIST_CLIENT_SECRET,
        "ANILIST_ACCESS_TOKEN": constants.ANILIST_ACCESS_TOKEN,
        "TRAKT_API_URL": f"{base_url}/trakt",
        "TRAKT_AUTH_URL": f"{base_url}/trakt-auth",
        "TRAKT_CLIENT_ID": constants.TRAKT_CLIENT_ID,
        "TRAKT_CLIENT_SECRET": constants.TRAKT_CLIENT_SECRET,
        "TRAKT_ACCESS_TOKEN": constants.TRAKT_ACCESS_TOKEN,
        "TRAKT_REFRESH_TOKEN": constants.TRAKT_REFRESH_TOKEN,
        "TMDB_API_URL": f"{base_url}/tmdb",
        "OTAKU_URL": f"{base_url}/mappings/otaku.db",
        "FRIBBS_URL": f"{base_url}/mappings/fribbs.json",
        "ANIME_LISTS_URL": f"{base_url}/mappings/anime-lists.xml",
    }


def start(
    *,
    port: int = 0,
    data: Path | None = None,
    limit_entries: int | None = None,
    seed: int = 1,
    state: Path | None = None,
    tmdb: bool = False,
) -> Running:
    """Start it and wait for its line. `tmdb` adds the TMDB key to the settings. Raises `SimulatorFailed`."""
    command = [sys.executable, "-m", "webapp.simulator", "--port", str(port), "--seed", str(seed)]
    for name, value in (("--data", data), ("--limit-entries", limit_entries), ("--state", state)):
        if value is not None:
            command += [name, str(value.resolve() if isinstance(value, Path) else value)]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    line = process.stdout.readline() if process.stdout else ""
    if not line.startswith(READY):
        process.wait(5)
        if process.stdout:
            process.stdout.close()
        raise SimulatorFailed(f"the simulator did not start (exit {process.returncode}): {line.strip()}")
    base_url = line.removeprefix(READY).strip()
    env = environment(base_url)
    if tmdb:
        env["TMDB_API_KEY"] = constants.TMDB_API_KEY
    return Running(base_url, env, process)
