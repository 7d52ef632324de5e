"""Signing in to Trakt by a script: an address, then a code."""

from __future__ import annotations

import base64
import hashlib
import json
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import responses
from flask import Flask
from sqlalchemy import select

from tests.api.conftest import Api, FakeQueue
from webapp import tokens
from webapp.database import transaction
from webapp.models import Connection, OAuthFlow, User


@pytest.fixture(autouse=True)
def trakt_app(app: Flask) -> None:
    config = app.config["TSUZUKI"]
    app.config["TSUZUKI"] = config.replace(TRAKT_CLIENT_ID="client", TRAKT_CLIENT_SECRET="")


def ask(api: Api) -> dict[str, str]:
    body: Any = api.get("/api/trakt-auth").json
    assert body["redirectUri"] == "http://127.0.0.1:8000/oauth/trakt/callback"
    return {name: values[0] for name, values in parse_qs(urlsplit(body["authUrl"]).query).items()}


@responses.activate
def test_the_code_of_the_address_becomes_a_connection(api: Api, app: Flask, user: User, queue: FakeQueue) -> None:
    asked = ask(api)
    assert (asked["client_id"], asked["response_type"], asked["code_challenge_method"]) == ("client", "code", "S256")
    url = f"{app.config['TSUZUKI'].TRAKT_AUTH_URL}/oauth/token"
    responses.post(url, json={"access_token": "access-1", "refresh_token": "refresh-1", "expires_in": 604800})
    answer = api.post("/api/trakt-auth", json={"code": " abc "})
    assert answer.status_code == 200
    assert answer.json is not None
    assert answer.json["message"]
    assert 604700 <= answer.json["expires_in"] <= 604800
    sent = json.loads(responses.calls[0].request.body or "{}")
    challenge = base64.urlsafe_b64encode(hashlib.sha256(sent["code_verifier"].encode()).digest()).rstrip(b"=").decode()
    assert (sent["code"], sent["redirect_uri"], challenge) == ("abc", asked["redirect_uri"], asked["code_challenge"])
    assert tokens.access_token(user.id, "trakt") == "access-1"
    with transaction(readonly=True) as session:
        assert session.scalars(select(OAuthFlow)).all() == []
        assert "access-1" not in str(session.scalars(select(Connection.access_token)).one())


@responses.activate
def test_a_code_that_trakt_does_not_know_is_400(api: Api, app: Flask, user: User, queue: FakeQueue) -> None:
    ask(api)
    responses.post(f"{app.config['TSUZUKI'].TRAKT_AUTH_URL}/oauth/token", status=400, json={"error": "invalid_grant"})
    answer = api.post("/api/trakt-auth", json={"code": "abc"})
    assert answer.json is not None
    assert (answer.status_code, answer.json["code"]) == (400, "code_refused")


@responses.activate
def test_trakt_being_away_is_502(api: Api, app: Flask, user: User, queue: FakeQueue) -> None:
    ask(api)
    responses.post(f"{app.config['TSUZUKI'].TRAKT_AUTH_URL}/oauth/token", status=503, body="<html>")
    answer = api.post("/api/trakt-auth", json={"code": "abc"})
    assert answer.json is not None
    assert (answer.status_code, answer.json["code"]) == (502, "service_down")


def test_without_an_app_there_is_no_address(api: Api, app: Flask, user: User) -> None:
    app.config["TSUZUKI"] = app.config["TSUZUKI"].replace(TRAKT_CLIENT_ID=None)
    answer = api.get("/api/trakt-auth")
    assert answer.json is not None
    assert (answer.status_code, answer.json["code"]) == (409, "no_app")


def test_a_code_that_no_address_was_asked_for_is_400(api: Api, user: User) -> None:
    answer = api.post("/api/trakt-auth", json={"code": "abc"})
    assert answer.json is not None
    assert (answer.status_code, answer.json["code"]) == (400, "flow_expired")


@pytest.mark.parametrize("body", [{}, {"code": ""}, {"code": 5}, {"code": "x" * 501}, {"code": "x", "y": 1}, []])
def test_a_code_is_text(api: Api, user: User, body: Any) -> None:
    assert api.post("/api/trakt-auth", json=body).status_code == 400
