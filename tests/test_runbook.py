"""The run book's three statements as SQL, on the pages and as commands: each form has the same effect on the next run."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from types import SimpleNamespace
from typing import Any, cast

import pytest
from click.testing import CliRunner
from flask import Flask
from sqlalchemy import select, text, update

from jobs import placing_store, selection
from tests.web.conftest import PASSWORD, Browser
from webapp.auth import hash_password
from webapp.cli import cli
from webapp.config import Config
from webapp.database import transaction
from webapp.extensions import db
from webapp.models import Entry, EpisodeOverride, Media, SyncProgress, SystemConfig, User, utcnow

FORMS = ("sql", "page", "command")
AS_WRITTEN = {
    "title": "delete from public.sync_progress where anilist_id = 21;",
    "list": "update public.system_config\nset value = '0', updated_at = now()\nwhere key = 'lastSyncTimestamp';",
    "override": "insert into public.episode_override (trakt_id, abs, season, episode)\nvalues (37696, 62, 2, 1)\n"
    "on conflict (trakt_id, abs)\ndo update set season = excluded.season, episode = excluded.episode;",
}
PAGES: dict[str, tuple[str, dict[str, Any]]] = {
    "title": ("/mappings/21/again", {}),
    "list": ("/sync/everything", {}),
    "override": ("/manual/override", {"trakt_id": 37696, "abs": 62, "season": 2, "episode": 1}),
}
COMMANDS = {"title": ["again", "21"], "list": ["again", "--all"], "override": ["override", "37696", "62", "2", "1"]}


@pytest.fixture
def person(app: Flask, user: User) -> User:
    """Two titles that the last run settled; an override that is to be corrected."""
    at = utcnow() - timedelta(hours=1)
    with transaction() as session:
        session.get_one(User, user.id).password_hash = hash_password(PASSWORD)
        session.add_all(Media(anilist_id=i, title_romaji=f"Title {i}", search_text="", fetched_at=at) for i in (21, 22))
        session.flush()
        for anilist_id in (21, 22):
            session.add(Entry(user_id=user.id, account_id="1", anilist_id=anilist_id, status="COMPLETED", progress=3, seen_at=at, placed_at=at, settled_at=at, settled_abs=3, trakt_id=37696, kind="show", pile="placed"))  # fmt: skip
            session.add(SyncProgress(user_id=user.id, anilist_id=anilist_id, last_abs=3, updated_at=at))
        session.add(SystemConfig(user_id=user.id, key="lastSyncTimestamp", value=str(int(at.timestamp()))))
        session.add(EpisodeOverride(trakt_id=37696, abs=62, season=1, episode=62))
    return user


def looked_at(person: User) -> list[int]:
    db.session.remove()
    context = cast("Any", SimpleNamespace(user_id=person.id, mode="full", anilist_id=None))
    return sorted(selection.select_entries(context).entries)


def do(form: str, what: str, app: Flask, config: Config, monkeypatch: pytest.MonkeyPatch) -> None:
    db.session.remove()
    if form == "page":
        path, fields = PAGES[what]
        with ThreadPoolExecutor(1) as elsewhere:  # as in a server: the requests share no context with the test
            elsewhere.submit(lambda: Browser(app).sign_in().post(path, fields)).result()
    elif form == "command":
        for name in ("DATA_DIR", "DATABASE_URL", "SECRET_KEY"):
            monkeypatch.setenv(name, str(getattr(config, name)))
        result = CliRunner().invoke(cli, COMMANDS[what])
        assert result.exit_code == 0, result.output
    else:
        sqlite = db.engine.dialect.name == "sqlite"
        statement = AS_WRITTEN[what]
        if sqlite:
            statement = statement.replace("public.", "").replace("now()", "datetime('now')")
        with db.engine.begin() as connection:
            connection.execute(text(statement))


@pytest.mark.parametrize("form", FORMS)
def test_each_form_of_the_run_book_has_its_effect(
    form: str, app: Flask, config: Config, person: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert looked_at(person) == []
    do(form, "title", app, config, monkeypatch)
    assert looked_at(person) == [21]
    do(form, "list", app, config, monkeypatch)
    assert looked_at(person) == [21, 22]
    with transaction(readonly=True) as session:
        row = session.scalars(select(SystemConfig).where(SystemConfig.key == "lastSyncTimestamp")).one()
        assert (row.value, row.updated_at.tzinfo is not None) == ("0", True)
    do(form, "override", app, config, monkeypatch)
    db.session.remove()
    assert placing_store.overrides([37696]) == {37696: {62: (2, 1)}}
    with transaction(readonly=True) as session:
        entries = list(session.scalars(select(Entry)))
    assert selection.to_place(entries, utcnow()) == [21, 22]


def test_an_override_that_sql_wrote_or_deleted_is_found_by_the_next_run(app: Flask, person: User) -> None:
    def run(statement: str) -> list[int]:
        db.session.remove()
        with db.engine.begin() as connection:
            connection.execute(text(statement))
        found = looked_at(person)
        with transaction() as session:
            session.execute(update(Entry).values(settled_at=utcnow()))
        return found

    assert run("delete from episode_override where trakt_id = 1") == []
    assert run("insert into episode_override (trakt_id, abs, season, episode) values (1, 1, 1, 1)") == []
    assert run("insert into episode_override (trakt_id, abs, season, episode) values (37696, 1, 2, 1)") == [21, 22]
    assert run("update episode_override set episode = 3 where trakt_id = 37696 and abs = 1") == [21, 22]
    assert run("update episode_override set episode = 3 where trakt_id = 37696 and abs = 1") == []
    assert run("delete from episode_override where trakt_id = 37696") == [21, 22]
    assert run("delete from episode_override") == []
