"""The commands of the run book and of corrections as files: `./run again`, `override`, `export`, `import`, `accept`."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click
from sqlalchemy import select

from jobs.mapping.correction_text import UnreadableText
from webapp import caches, corrections, runbook, transfer
from webapp.app import create_app
from webapp.config import ROOT, load
from webapp.database import transaction
from webapp.extensions import db
from webapp.launch import start
from webapp.launch.folder import make_folder
from webapp.launch.migrations import need_newest_tables
from webapp.models import User

NUMBER = click.IntRange(1, 2**53)
EPISODE = click.IntRange(1, 99_999)
person_option = click.option("--user", "username", help="Whose; the first account unless given.")


@contextmanager
def tables() -> Iterator[None]:
    """The database of the settings, with the tables that this version knows; else LaunchError says what to do."""
    config = load(start.environment_with_file(os.environ, ROOT / ".env"))
    make_folder(config.data_dir)
    app = create_app(config)
    with app.app_context():
        try:
            need_newest_tables()
            yield
        finally:
            db.session.remove()
            db.engine.dispose()


def _person(username: str | None) -> User:
    query = select(User).order_by(User.id) if username is None else select(User).where(User.username == username)
    with transaction(readonly=True) as session:
        person: User | None = session.scalar(query.limit(1))
    if person is None:
        raise click.ClickException(f"There is no account {username}." if username else "There is no account yet.")
    return person


@click.command()
@click.argument("anilist_id", type=NUMBER, required=False)
@click.option("--all", "everything", is_flag=True, help="Look at the whole list again.")
@person_option
def again(anilist_id: int | None, *, everything: bool, username: str | None) -> None:
    """Look at one title, or at the whole list, again with the next run. What stands on Trakt is not sent again."""
    if everything == (anilist_id is not None):
        raise click.UsageError("Name one AniList id, or --all.")
    with tables():
        person = _person(username)
        if anilist_id is None:
            runbook.look_at_everything(person)
            click.echo("The next run looks at the whole list.")
        else:
            runbook.look_from_the_start(person, anilist_id)
            click.echo(f"The next run looks at AniList {anilist_id} from episode 1.")


@click.command()
@click.argument("trakt_id", type=NUMBER)
@click.argument("absolute", metavar="ABS", type=EPISODE)
@click.argument("season", type=click.IntRange(0, 9_999))
@click.argument("episode", type=EPISODE)
def override(trakt_id: int, absolute: int, season: int, episode: int) -> None:
    """Say where the ABS-th regular episode of a Trakt show goes; counts for everyone on this instance."""
    with tables():
        corrections.save_override(trakt_id, absolute, season, episode)
    click.echo(f"Episode {absolute} of the Trakt show {trakt_id} goes to season {season}, episode {episode}.")


@click.command()
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path), required=False)
@click.option("--format", "form", type=click.Choice(["yaml", "json"]), help="By the file's name unless given.")
@person_option
def export(file: Path | None, form: str | None, username: str | None) -> None:
    """Write all corrections to FILE, or to the screen."""
    form = form or ("json" if file and file.suffix == ".json" else "yaml")
    with tables():
        text = transfer.export(_person(username), form)
    if file is None:
        click.echo(text, nl=False)
        return
    try:
        file.write_text(text, encoding="utf-8")
    except OSError as error:
        raise click.ClickException(f"{file} cannot be written: {error.strerror}.") from None
    click.echo(f"Written to {file}.")


@click.command("import")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--apply", is_flag=True, help="Save; without it the command says what would change.")
@click.option("--leave-out", is_flag=True, help="Save the rest when some rows cannot be taken.")
@person_option
def import_file(file: Path, *, apply: bool, leave_out: bool, username: str | None) -> None:
    """Look at a file of corrections, or save what is in it. A bad file changes nothing."""
    content = file.read_bytes()
    with tables():
        person = _person(username)
        try:
            report = transfer.look(person, content)
            if may := apply and (leave_out or not report.refused):
                report = transfer.take(person, content, leave_out=leave_out)
        except UnreadableText as error:
            where = f"line {error.line}: " if error.line else ""
            raise click.ClickException(f"{file}: {where}{error}") from None
    for change in report.to_write:
        click.echo(f"line {change.row.line}: {change.state}: {change.name}")
    for row in report.refused:
        click.echo(f"line {row.line}: not taken: {row.reason}", err=True)
    numbers = f"{report.count('added')} new, {report.count('changed')} changed, {report.count('same')} the same"
    click.echo(f"{numbers}, {len(report.refused)} not taken. {'Saved.' if may else 'Nothing was saved.'}")
    if apply and not may:
        click.echo("Correct the file, or add --leave-out to save the rest.", err=True)
        sys.exit(1)


@click.command()
@click.argument("source")
def accept(source: str) -> None:
    """Take the smaller file of SOURCE that was held back: otaku, fribbs, anime_lists or list:NUMBER."""
    with tables():
        if not caches.accept_loss(source):
            raise click.ClickException(f"No file of {source} was held back.")
    click.echo("The worker takes it within a minute. A file with still fewer rows is held back again.")


COMMANDS = (again, override, export, import_file, accept)
