"""A browser without a script, an app with its tables, and libraries of several sizes."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from argon2 import PasswordHasher
from flask import Flask
from flask.testing import FlaskClient
from jinja2 import FileSystemBytecodeCache
from sqlalchemy import event, select
from werkzeug.test import TestResponse

from tests import html
from tests.web.seed import seed
from webapp import enqueue
from webapp.app import create_app
from webapp.config import Config, load
from webapp.extensions import db
from webapp.models import Run, User

PASSWORD = "a long password"
Find = Callable[..., Any]


class Browser:
    """Follows forms as a browser without JavaScript does, and checks every page that it gets."""

    def __init__(self, app: Flask, base_url: str = "http://localhost") -> None:
        self.app = app
        self.base_url = base_url
        self.client: FlaskClient = app.test_client()
        self.last: TestResponse | None = None

    def get(self, path: str, *, status: int = 200, hx: bool = False) -> str:
        headers = {"HX-Request": "true"} if hx else {}
        self.last = self.client.get(path, headers=headers, base_url=self.base_url)
        assert self.last.status_code == status, f"{path}: {self.last.status_code}"
        text = self.last.get_data(as_text=True)
        if self.last.mimetype == "text/html" and status not in (204, 286, 302, 303) and text:
            html.check(text)
        return text

    def token(self) -> str:
        """The form token of this session."""
        for path in ("/help", "/login", "/setup"):
            text = self.client.get(path, base_url=self.base_url).get_data(as_text=True)
            if found := re.search(r'name="csrf_token" value="([^"]+)"', text):
                return found[1]
        raise AssertionError("no form has a token")

    def post(self, path: str, data: dict[str, Any] | None = None, *, status: int = 303, hx: bool = False) -> str:
        """The address that the answer leads to, or its text."""
        headers = {"HX-Request": "true"} if hx else {}
        self.last = self.client.post(
            path, data={"csrf_token": self.token(), **(data or {})}, headers=headers, base_url=self.base_url
        )
        text = self.last.get_data(as_text=True)
        assert self.last.status_code == status, f"{path}: {self.last.status_code} {text[:2000]}"
        if status == 303:
            return self.last.location
        if text and self.last.mimetype == "text/html":
            html.check(text)
        return text

    def sign_in(self) -> Browser:
        self.post("/login", {"username": "hanako", "password": PASSWORD})
        return self


@pytest.fixture(scope="session")
def compiled(tmp_path_factory: pytest.TempPathFactory) -> FileSystemBytecodeCache:
    """Templates are compiled once for all the apps that tests make."""
    return FileSystemBytecodeCache(str(tmp_path_factory.mktemp("templates")))


@pytest.fixture(scope="session")
def words_app(empty_tables: Path) -> Flask:
    """An app for what needs no database."""
    return create_app(load({"DATA_DIR": str(empty_tables.parent), "SECRET_KEY": "x"}))


@pytest.fixture
def site(config: Config, compiled: FileSystemBytecodeCache, empty_tables: Path) -> Iterator[Flask]:
    """An app with empty tables; requests open their own context, as in a server."""
    app = create_app(config)
    app.jinja_env.bytecode_cache = compiled
    shutil.copyfile(empty_tables, config.database_url.removeprefix("sqlite:///"))
    yield app
    with app.app_context():
        db.engine.dispose()


@pytest.fixture(scope="session")
def password_hash() -> str:
    """Hashing is slow on purpose; this one is quick to check."""
    return PasswordHasher(time_cost=1, memory_cost=8, parallelism=1).hash(PASSWORD)


@pytest.fixture
def hanako(site: Flask, password_hash: str) -> int:
    """The id of the first account."""
    with site.app_context():
        person = User(username="hanako", password_hash=password_hash, is_admin=True)
        db.session.add(person)
        db.session.commit()
        return person.id


@pytest.fixture
def stranger(site: Flask) -> Browser:
    return Browser(site)


@pytest.fixture
def browser(site: Flask, hanako: int) -> Browser:
    """Signed in; the library is empty and nothing is connected."""
    return Browser(site).sign_in()


@pytest.fixture
def small(site: Flask, hanako: int, browser: Browser) -> Browser:
    """Signed in, with a library in which everything occurs once or twice."""
    with site.app_context():
        seed(hanako, times=1)
    return browser


@pytest.fixture
def queue(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, int]]:
    """What would be put on a queue."""
    put: list[tuple[str, int]] = []

    def run(row: Run) -> bool:
        put.append((enqueue.queue_of(row), row.id))
        return True

    def cache(number: int) -> bool:
        put.append(("cache", number))
        return True

    monkeypatch.setattr(enqueue, "run", run)
    monkeypatch.setattr(enqueue, "cache", cache)
    return put


@pytest.fixture
def find(site: Flask) -> Find:
    """The newest row of a table that fits."""

    def look(table: Any, **values: Any) -> Any:
        with site.app_context():
            query = select(table).filter_by(**values)
            query = query.order_by(table.id.desc()) if hasattr(table, "id") else query
            return db.session.scalar(query.limit(1))

    return look


@pytest.fixture
def quiet(site: Flask, small: Browser) -> Browser:
    """The small library without open runs, so that commands start runs of their own."""
    with site.app_context():
        for run in db.session.scalars(select(Run).where(Run.status.in_(("queued", "running", "waiting")))):
            run.status = "cancelled"
        db.session.commit()
    return small


@contextmanager
def counted(app: Flask) -> Iterator[list[str]]:
    """The statements that reach the database inside the block."""
    statements: list[str] = []

    def note(_conn: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        statements.append(statement)

    with app.app_context():
        engine = db.engine
    event.listen(engine, "before_cursor_execute", note)
    try:
        yield statements
    finally:
        event.remove(engine, "before_cursor_execute", note)
