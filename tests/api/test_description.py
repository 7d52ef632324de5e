"""The description comes from the code and names every endpoint."""

from __future__ import annotations

import re
from typing import Any

import pytest
from flask import Flask

from tests.api.conftest import Api, add
from webapp.models import Run, User

PROMISED = {
    "/api/status": {"get"}, "/api/logs": {"get"}, "/api/progress": {"get"},
    "/api/refresh-otaku": {"get", "post"}, "/api/refresh-fribbs": {"get", "post"},
    "/api/refresh-anime-lists": {"get", "post"}, "/api/mappings": {"get"}, "/api/manual-map": {"post"},
    "/api/overrides": {"get", "post", "delete"}, "/api/placement": {"get"}, "/api/sync": {"get", "post"},
    "/api/full-sync": {"get", "post"}, "/api/completed-sync": {"get", "post"}, "/api/watching-sync": {"get", "post"},
    "/api/runs": {"get"}, "/api/runs/{id}": {"get"}, "/api/runs/{id}/cancel": {"post"}, "/api/runs/{id}/undo": {"post"},
    "/api/runs/{id}/approve": {"post"}, "/cron": {"get", "post"}, "/api/cron": {"get", "post"},
    "/api/trakt-auth": {"get", "post"}, "/healthz": {"get"}, "/readyz": {"get"}, "/metrics": {"get"},
    "/api/corrections": {"get", "post"}, "/api/lists": {"get", "post", "delete"}, "/api/lists/refresh": {"post"},
    "/api/extras": {"get"},
}  # fmt: skip


@pytest.fixture
def spec(checked_app: Flask) -> Any:
    return checked_app.test_client().get("/api/openapi.json").json


def test_every_promised_path_is_described(spec: Any) -> None:
    described = {path: set(item) & {"get", "post", "put", "delete"} for path, item in spec["paths"].items()}
    assert described == PROMISED


def test_every_endpoint_of_the_api_is_described(checked_app: Flask, spec: Any) -> None:
    rules = {re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", str(rule)) for rule in checked_app.url_map.iter_rules() if str(rule).startswith("/api/")}  # fmt: skip
    assert rules - {"/api/docs", "/api/openapi.json"} <= set(spec["paths"])


def test_every_reference_of_the_description_leads_somewhere(spec: Any) -> None:
    text = str(spec)
    names = set(re.findall(r"#/components/schemas/([\w.\-]+)", text))
    assert names
    assert names <= set(spec["components"]["schemas"])


def test_every_operation_says_how_to_sign_in_and_what_it_does(spec: Any) -> None:
    ids = []
    for path, item in spec["paths"].items():
        for operation in item.values():
            ids.append(operation["operationId"])
            assert operation["summary"], path
            assert bool(operation.get("security")) == (path not in ("/healthz", "/readyz")), path
    assert len(ids) == len(set(ids))


def test_ids_have_their_bounds_in_the_description(spec: Any) -> None:
    (parameter,) = (p for p in spec["paths"]["/api/placement"]["get"]["parameters"] if p["name"] == "anilistId")
    assert (parameter["schema"]["minimum"], parameter["schema"]["maximum"]) == (1, 2**53)


def test_the_page_shows_every_operation_without_scripts_of_its_own(checked_app: Flask, user: User) -> None:
    answer = checked_app.test_client().get("/api/docs")
    page = answer.get_data(as_text=True)
    assert answer.status_code == 200
    assert "script-src 'self'" in answer.headers["Content-Security-Policy"]
    assert not re.search(r"<script(?![^>]*\bsrc=)|\son\w+=|<style|style=", page)
    for path, methods in PROMISED.items():
        for method in methods:
            assert f"{method.upper()} {path}</code>" in page


def test_addresses_stand_below_the_root_of_the_app(api: Api, user: User) -> None:
    add(*(Run(user_id=user.id, mode="full", trigger="api", status="succeeded") for _ in range(2)))
    body: Any = api.get("/api/runs?limit=1", environ_overrides={"SCRIPT_NAME": "/tsuzuki"}).json
    assert body["next"] == "/tsuzuki/api/runs?limit=1&before=2"
    assert body["items"][0]["statusUrl"] == "/tsuzuki/api/runs/2"
