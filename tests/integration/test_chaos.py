"""Some rounds of `./run chaos`, one for each victim and more: nothing twice, nothing missing, nothing left for the next sync."""

from __future__ import annotations

import pytest

from tests import chaos

pytestmark = pytest.mark.integration

# The victims take turns: 7 the worker, 8 the horse, 9 both, 10 the parent, 11 Redis, 12 the web server, 13 the whole app.
ALWAYS = (11, 13)
WITH_ALL = (7, 8, 9, 10, 12)
ON_POSTGRES = (15, 16, 20)


@pytest.mark.parametrize("seed", [*ALWAYS, *(pytest.param(seed, marks=pytest.mark.slow) for seed in WITH_ALL)])
def test_a_sync_that_is_killed_sends_everything_once(seed: int) -> None:
    one = chaos.play(seed)
    assert one.right, one.line()


@pytest.mark.slow
@pytest.mark.postgres
@pytest.mark.parametrize("seed", ON_POSTGRES)
def test_a_sync_that_is_killed_sends_everything_once_with_postgresql(seed: int, postgres_url: str) -> None:
    one = chaos.play(seed, database_url=postgres_url)
    assert one.right, one.line()
