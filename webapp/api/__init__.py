"""The JSON API: one file per noun, bearer tokens only, described by OpenAPI from this code."""

from __future__ import annotations

from flask_openapi3.openapi import OpenAPI

from webapp.api import (
    beyond,
    caches,
    corrections,
    cron,
    docs,
    health,
    lists,
    mappings,
    overrides,
    placement,
    runs,
    status,
    sync,
    trakt_auth,
)
from webapp.api.commands import init_waiters
from webapp.api.fields import invalid
from webapp.api.spec import SCHEMES

BLUEPRINTS = (
    status.blueprint,
    caches.blueprint,
    mappings.blueprint,
    overrides.blueprint,
    corrections.blueprint,
    lists.blueprint,
    placement.blueprint,
    sync.blueprint,
    runs.blueprint,
    beyond.blueprint,
    trakt_auth.blueprint,
    cron.blueprint,
    cron.short,
    health.blueprint,
)


def register(app: OpenAPI) -> None:
    """Add every endpoint to the app."""
    app.security_schemes = SCHEMES
    app.validation_error_status = "400"
    app.validation_error_callback = invalid
    init_waiters(app)
    for blueprint in BLUEPRINTS:
        app.register_api(blueprint)
    app.register_blueprint(docs.blueprint)
