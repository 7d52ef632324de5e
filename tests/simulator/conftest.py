"""A simulated world with a clock that tests turn, and clients that speak as Tsuzuki does."""

from __future__ import annotations

from typing import Any

import pytest

from webapp.simulator import constants
from webapp.simulator.app import create_simulator
from webapp.simulator.demo import demo_library
from webapp.simulator.world import World

NOON = 1_790_000_000.0


class Clock:
    """Time that stands still until a test moves it."""

    def __init__(self) -> None:
        self.now = NOON

    def __call__(self) -> float:
        return self.now


class Door:
    """Requests to the simulator with the headers that the real services want."""

    def __init__(self, client: Any) -> None:
        self.client = client  # a Flask test client; its answers' JSON is whatever the test says it is
        self.trakt_headers = {
            "User-Agent": "Tsuzuki/0.1",
            "trakt-api-key": constants.TRAKT_CLIENT_ID,
            "trakt-api-version": "2",
            "Authorization": f"Bearer {constants.TRAKT_ACCESS_TOKEN}",
        }
        self.anilist_headers = {
            "User-Agent": "Tsuzuki/0.1",
            "Referer": "http://127.0.0.1:8000",
            "Authorization": f"Bearer {constants.ANILIST_ACCESS_TOKEN}",
        }

    def trakt(self, path: str, body: object = None, **headers: str | None) -> Any:
        """GET, or POST where there is a body; a header of None is left out."""
        given = {**self.trakt_headers, **{n.replace("_", "-"): v for n, v in headers.items()}}
        sent = {n: v for n, v in given.items() if v is not None}
        if sent.get("User-Agent") is None:
            sent["User-Agent"] = ""
        if body is None:
            return self.client.get(f"/trakt{path}", headers=sent)
        return self.client.post(f"/trakt{path}", json=body, headers=sent)

    def graphql(self, query: str, variables: object = None, **headers: str | None) -> Any:
        given = {**self.anilist_headers, **headers}
        sent = {n: v for n, v in given.items() if v is not None}
        return self.client.post("/anilist/graphql", json={"query": query, "variables": variables}, headers=sent)

    def control(self, path: str, body: object = None) -> Any:
        answer = self.client.post(f"/_sim/{path}", json={} if body is None else body)
        assert answer.status_code == 200, answer.text
        return answer.json

    def history(self, account: str = constants.TRAKT_ACCOUNT) -> list[dict[str, Any]]:
        rows: list[dict[str, Any]] = self.client.get(f"/_sim/history?account={account}").json
        return rows


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def world(clock: Clock) -> World:
    return World(demo_library, clock=clock)


@pytest.fixture
def door(world: World) -> Door:
    return Door(create_simulator(world).test_client())
