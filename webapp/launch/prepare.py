"""What must be true before workers and web start: the second step of a start, after Redis and before the workers.

Tables, the check of the secret key, the first account, the secret of `/cron`, tokens from the environment.
"""

from __future__ import annotations

import logging
import secrets
import sys
import time
import traceback
from pathlib import Path
from typing import Final

from flask import Flask
from sqlalchemy import select
from sqlalchemy.exc import OperationalError

from webapp import crypto, enqueue, tokens
from webapp.app import create_app
from webapp.auth import AccountExists, create_first_account, first_account, setup_code
from webapp.config import Config, ConfigError
from webapp.database import transaction, upsert
from webapp.launch.errors import LaunchError
from webapp.launch.folder import make_folder
from webapp.launch.migrations import migrate
from webapp.launch.output import say
from webapp.launch.redis_server import answers
from webapp.models import SystemConfig, User

CRON_KEY: Final = "cron:secret"
REDIS_PATIENCE: Final = 60.0  # seconds; a large append-only file takes a while to load


def run(config: Config, redis_socket: Path | None) -> int:
    """Wait for the private Redis, then do everything. Exit status 1, after one sentence, when the start cannot go on."""
    logging.basicConfig(level=logging.WARNING, format="%(message)s", stream=sys.stdout)
    try:
        wait_for_redis(redis_socket)
        app = create_app(config)
        with app.app_context():
            prepare(app)
    except (LaunchError, ConfigError) as error:
        say(f"Tsuzuki cannot start. {error}")
        return 1
    except OperationalError as error:
        say(f"Tsuzuki cannot start. The database does not answer: {error.orig}")
        return 1
    except Exception as error:  # noqa: BLE001 - nobody foresaw it, and nothing else would say why the start ends
        traceback.print_exc()
        say(f"Tsuzuki cannot start. {type(error).__name__}: {error}")
        return 1
    return 0


def wait_for_redis(socket_file: Path | None) -> None:
    """Until the private server answers; one that is not ours is not waited for. Raises LaunchError."""
    deadline = time.monotonic() + REDIS_PATIENCE
    while socket_file is not None and not answers(socket_file):
        if time.monotonic() > deadline:
            raise LaunchError(f"Redis did not answer within {REDIS_PATIENCE:.0f} seconds; its log is redis/redis.log.")
        time.sleep(0.05)


def prepare(app: Flask) -> None:
    """All steps, inside an application context of `app`. Raises LaunchError or ConfigError."""
    config: Config = app.config["TSUZUKI"]
    make_folder(config.data_dir)
    before, now = migrate(config.data_dir)
    if before != now:
        say(f"Tables brought to version {now}." if before is None else f"Tables changed from {before} to {now}.")
    crypto.check_value(app)
    cron_secret()
    make_first_account(config)
    seed_tokens()


def cron_secret() -> str:
    """The token of `/cron` that is used when `CRON_SECRET` is not set: made once, kept in the database."""
    with transaction() as session:
        statement = upsert(SystemConfig).values(user_id=None, key=CRON_KEY, value=secrets.token_urlsafe(24))
        session.execute(statement.on_conflict_do_nothing())
        stored = session.scalar(
            select(SystemConfig.value).where(SystemConfig.user_id.is_(None), SystemConfig.key == CRON_KEY)
        )
    return str(stored)


def make_first_account(config: Config) -> None:
    """From `ADMIN_USERNAME` and `ADMIN_PASSWORD` at the first start; else print the one-time code of `/setup`."""
    if config.ADMIN_USERNAME and config.ADMIN_PASSWORD:
        try:
            create_first_account(config.ADMIN_USERNAME, config.ADMIN_PASSWORD)
        except AccountExists:
            return
        say(f"The account {config.ADMIN_USERNAME} was created.")
        return
    if config.ADMIN_USERNAME or config.ADMIN_PASSWORD:
        raise LaunchError("ADMIN_USERNAME and ADMIN_PASSWORD belong together: set both or none.")
    if code := setup_code():
        say(f"No account yet: open {config.public_url}/setup and type the code {code} (not asked on this machine).")


def seed_tokens() -> None:
    """Tokens in the environment belong to the first account."""
    with transaction(readonly=True):
        person: User | None = first_account()
    if person is not None:
        for connection_id in tokens.seed_from_environment(person):
            enqueue.connection_check(connection_id)
