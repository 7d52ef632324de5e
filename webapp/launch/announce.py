"""`python -m webapp.launch.announce`: waits until Tsuzuki can be used, says where, and ends.

In the demo that means filled caches too, so that the first press of the button shows all of it.
"""

from __future__ import annotations

import http.client
import sys
import time
from collections.abc import Callable
from typing import Final

from flask import Flask
from sqlalchemy import func, select

from webapp.config import Config, load
from webapp.database import transaction
from webapp.extensions import db
from webapp.launch.output import say
from webapp.models import MappingSource

SOURCES: Final = ("otaku", "fribbs", "anime_lists")
PATIENCE: Final = 180.0  # seconds
LOOK_AGAIN: Final = 0.2


def main() -> int:
    """Exit status 0 in any case: a slow start is no reason to stop what runs."""
    config = load()
    deadline = time.monotonic() + PATIENCE
    ready = _until(deadline, lambda: answers(config))
    if ready and config.DEMO:
        app = Flask("webapp")  # the database is all that is needed of it
        app.config["SQLALCHEMY_DATABASE_URI"] = config.database_url
        db.init_app(app)
        with app.app_context():
            ready = _until(deadline, caches_filled)
    if not ready:
        say("Tsuzuki is slow to start; the lines above may say why.")
    say(banner(config))
    return 0


def _until(deadline: float, condition: Callable[[], bool]) -> bool:
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(LOOK_AGAIN)
    return True


def answers(config: Config) -> bool:
    """Whether `/readyz` says that web server, database, Redis and a worker are there, on the address that the web server listens on."""
    host = {"0.0.0.0": "127.0.0.1", "::": "::1", "": "127.0.0.1"}.get(config.HOST, config.HOST)  # noqa: S104 - compared, not bound
    root = "" if config.APPLICATION_ROOT == "/" else config.APPLICATION_ROOT
    connection = http.client.HTTPConnection(host, config.PORT, timeout=2)
    try:
        connection.request("GET", f"{root}/readyz")
        return connection.getresponse().status == 200
    except OSError:
        return False
    finally:
        connection.close()


def caches_filled() -> bool:
    with transaction(readonly=True) as session:
        filled = session.scalar(
            select(func.count()).where(MappingSource.name.in_(SOURCES), MappingSource.rows_kept > 0)
        )
    return bool(filled == len(SOURCES))


def banner(config: Config) -> str:
    what = "The demo is ready" if config.DEMO else "Tsuzuki is ready"
    return f"{what}: {config.public_url}/   (Ctrl-C ends it)"


if __name__ == "__main__":
    sys.exit(main())
