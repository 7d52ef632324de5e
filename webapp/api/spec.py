"""What the description of the API says of every endpoint."""

from __future__ import annotations

from typing import Any

from flask_openapi3.models.security_scheme import SecurityScheme

TOKEN = "bearer"  # noqa: S105 - the name of the scheme, not a secret
SECRET = "cron_secret"  # noqa: S105 - likewise
SCHEMES: dict[str, SecurityScheme | dict[str, Any]] = {
    TOKEN: SecurityScheme(type="http", scheme="bearer", description="The API token of an account"),
    SECRET: SecurityScheme(type="http", scheme="bearer", description="CRON_SECRET, or ?token="),
}
BEARER: list[dict[str, list[str]]] = [{TOKEN: []}]
CRON: list[dict[str, list[str]]] = [{SECRET: []}]
