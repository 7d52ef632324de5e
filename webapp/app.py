"""Makes the web app. `create_app` reads as a table of contents."""

from __future__ import annotations

from flask import Flask
from flask_openapi3.models.info import Info
from flask_openapi3.openapi import OpenAPI

from webapp import (
    api,
    models,  # noqa: F401 - every table is known before the first query
    oauth,
    views,
)
from webapp.auth import init_login
from webapp.compression import init_compression
from webapp.config import Config, load
from webapp.errorpages import init_error_pages
from webapp.extensions import db, migrate
from webapp.forms import Identifier
from webapp.lifecycle import init_lifecycle
from webapp.security import init_security
from webapp.templating import init_templates

VERSION = "0.1.0"


def create_app(config: Config | None = None) -> Flask:
    """The app for `config` (the environment by default). Raises `ConfigError` for a bad setting."""
    config = config or load()
    app = OpenAPI(
        "webapp",
        info=Info(title="Tsuzuki", version=VERSION),
        doc_ui=False,
        template_folder="../templates",
        static_folder="../static",
    )
    app.config.update(SQLALCHEMY_DATABASE_URI=config.database_url, TSUZUKI=config, VERSION=VERSION)
    app.url_map.converters["int"] = Identifier
    init_database(app)
    init_lifecycle(app)
    init_compression(app)
    init_security(app, config)
    init_login(app)
    init_templates(app)
    init_error_pages(app)
    views.register(app)
    app.register_blueprint(oauth.blueprint)
    api.register(app)
    return app


def init_database(app: Flask) -> None:
    db.init_app(app)
    migrate.init_app(app, db, directory=f"{app.root_path}/migrations", render_as_batch=True, compare_type=True)
