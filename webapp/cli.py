"""The commands behind `./run`: `python -m webapp.cli up|demo|migrate|password`."""

from __future__ import annotations

import os
import signal
import sys

import click
from sqlalchemy import select, update

from webapp import corrections_cli
from webapp.app import create_app
from webapp.auth import hash_password
from webapp.config import ROOT, ConfigError, load
from webapp.database import transaction
from webapp.launch import start
from webapp.launch.errors import LaunchError
from webapp.launch.folder import make_folder
from webapp.launch.migrations import migrate as run_migrations
from webapp.models import User


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def cli() -> None:
    """Tsuzuki keeps an anime watch history in step: AniList to Trakt, every play exactly once."""


@cli.command()
@click.option("--no-env-file", is_flag=True, help="Do not read .env.")
def up(*, no_env_file: bool) -> None:
    """Start with real services; settings come from the environment and from .env."""
    start.up(os.environ, env_file=not no_env_file)


@cli.command()
@click.option("--fresh", is_flag=True, help="Throw the earlier demo away first.")
def demo(*, fresh: bool) -> None:
    """Start against the built-in simulator, with a made-up library."""
    start.demo(os.environ, fresh=fresh)


@cli.command()
def migrate() -> None:
    """Bring the tables up to date, after a snapshot. `up` does the same."""
    config = load(start.environment_with_file(os.environ, ROOT / ".env"))
    make_folder(config.data_dir)
    app = create_app(config)
    with app.app_context():
        before, now = run_migrations(config.data_dir)
    click.echo(f"Tables are at version {now}." if before == now else f"Tables changed from {before} to {now}.")


@cli.command()
@click.argument("username")
@click.password_option(help="Asked for when it is not given.")
def password(username: str, password: str) -> None:
    """Set a new password for an account; every browser is signed out."""
    with corrections_cli.tables(), transaction() as session:
        person = session.scalar(select(User).where(User.username == username))
        if person is None:
            raise click.ClickException(f"There is no account {username}.")
        session.execute(
            update(User)
            .where(User.id == person.id)
            .values(password_hash=hash_password(password), session_epoch=User.session_epoch + 1)
        )
    click.echo(f"The password of {username} was changed.")


for command in corrections_cli.COMMANDS:
    cli.add_command(command)


def main() -> None:
    """Errors that a person can mend are one sentence, not a traceback; Ctrl-C is an exception from here on."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_DFL:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        cli(prog_name="./run")
    except (LaunchError, ConfigError) as error:
        click.echo(f"Tsuzuki cannot start. {error}", err=True)
        sys.exit(1)


if __name__ == "__main__":
    main()
