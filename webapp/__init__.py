"""Tsuzuki's web app. `create_app` reads as a table of contents."""

from __future__ import annotations

from flask import Flask

from webapp import models as models  # every table is known before the first query
from webapp.config import Config, load
from webapp.extensions import db, migrate


def create_app(config: Config | None = None) -> Flask:
    """The app for `config` (the environment by default). Raises `ConfigError` for a bad setting."""
    config = config or load()
    app = Flask(__name__, template_folder="../templates", static_folder="../static")
    app.config.update(SQLALCHEMY_DATABASE_URI=config.database_url, TSUZUKI=config)
    init_database(app)
    return app


def init_database(app: Flask) -> None:
    db.init_app(app)
    migrate.init_app(app, db, directory=f"{app.root_path}/migrations", render_as_batch=True, compare_type=True)
