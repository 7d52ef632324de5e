"""Signing in: what leaves, byte by byte, whose state counts, and what the pages say when it does not work."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
import requests
import responses
from flask import Flask
from sqlalchemy import select, update
from werkzeug.test import TestResponse

from tests.web.conftest import Browser
from webapp import enqueue, flows, tokens
from webapp.config import Config
from webapp.database import transaction
from webapp.grants import Service, Tokens
from webapp.models import Connection, OAuthFlow, User, utcnow

TRAKT = "http://127.0.0.1:9/trakt-auth/oauth"
ANILIST = "http://127.0.0.1:9/anilist/oauth"


@pytest.fixture
def config(config: Config) -> Config:
    return config.replace(
        PUBLIC_URL="http://t.example",
        TRAKT_CLIENT_ID="app-1",
        TRAKT_CLIENT_SECRET="hush",
        ANILIST_CLIENT_ID="123",
        ANILIST_CLIENT_SECRET="quiet",
    )


@pytest.fixture
def checks(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Connections that a job was asked to look at."""
    asked: list[int] = []

    def check(connection_id: int) -> bool:
        asked.append(connection_id)
        return True

    monkeypatch.setattr(enqueue, "connection_check", check)
    return asked


class Person:
    """hanako, signed in: what her browser does and what is stored for her."""

    def __init__(self, site: Flask, user_id: int, browser: Browser) -> None:
        self.site = site
        self.id = user_id
        self.browser = browser

    def get(self, path: str, *, hx: bool = False) -> TestResponse:
        return self.browser.client.get(path, headers={"HX-Request": "true"} if hx else {})

    def post(self, path: str, **data: str) -> TestResponse:
        return self.browser.client.post(path, data={"csrf_token": self.browser.token(), **data})

    def words(self) -> str:
        """The page of connections, where the answers of all forms show."""
        return self.browser.get("/settings/connections")

    def begin(self, service: Service) -> str:
        """The state of a sign-in that this person began."""
        with self.site.app_context():
            return flows.begin_code(self.id, service).state

    def token(self, service: Service) -> str | None:
        with self.site.app_context():
            return tokens.access_token(self.id, service)

    def app(self, service: Service) -> tuple[str | None, str | None]:
        with self.site.app_context():
            return tokens.app_credentials(self.id, service)

    def connection(self, service: Service) -> Connection:
        with self.site.app_context(), transaction(readonly=True) as session:
            row = session.scalar(select(Connection).where(Connection.user_id == self.id, Connection.service == service))
        assert isinstance(row, Connection)
        return row

    def change_flow(self, **values: Any) -> None:
        with self.site.app_context(), transaction() as session:
            session.execute(update(OAuthFlow).values(**values))

    def flow(self) -> OAuthFlow:
        with self.site.app_context(), transaction(readonly=True) as session:
            found = session.scalars(select(OAuthFlow)).one()
        assert isinstance(found, OAuthFlow)
        return found

    def another(self) -> int:
        """The id of a second account."""
        with self.site.app_context(), transaction() as session:
            other = User(username="other", password_hash="x")
            session.add(other)
            session.flush()
            return other.id


@pytest.fixture
def person(site: Flask, hanako: int, checks: list[int]) -> Person:
    browser = Browser(site)
    with browser.client.session_transaction() as session:  # signed in without the slow password
        session.update(_user_id=str(hanako), _fresh=True, epoch=1)
    return Person(site, hanako, browser)


@pytest.fixture
def web() -> Iterator[responses.RequestsMock]:
    with responses.RequestsMock() as mock:
        yield mock


def _issued(**more: Any) -> dict[str, Any]:
    now = int(utcnow().timestamp())
    return {"access_token": "a1", "refresh_token": "r1", "expires_in": 604800, "created_at": now, **more}


def test_a_browser_goes_to_trakt_with_state_and_pkce_and_comes_back_connected(
    person: Person, web: Any, checks: list[int]
) -> None:
    gone = person.post("/oauth/trakt/start")
    assert gone.status_code == 303
    address = urlsplit(gone.location)
    assert f"{address.scheme}://{address.netloc}{address.path}" == f"{TRAKT}/authorize"
    query = dict(parse_qsl(address.query))
    assert list(query) == [
        "response_type", "client_id", "redirect_uri", "state", "code_challenge", "code_challenge_method",
    ]  # fmt: skip
    assert query["redirect_uri"] == "http://t.example/oauth/trakt/callback"
    assert query["code_challenge_method"] == "S256"
    assert len(query["state"]) >= 40

    web.post(f"{TRAKT}/token", json=_issued())
    back = person.get(f"/oauth/trakt/callback?code=c1&state={query['state']}")
    assert back.location.endswith("/settings/connections#trakt")
    request = web.calls[0].request
    assert request.headers["Content-Type"] == "application/json"
    body = json.loads(request.body)
    verifier = body.pop("code_verifier")
    assert list(body.items()) == [
        ("code", "c1"),
        ("client_id", "app-1"),
        ("client_secret", "hush"),
        ("redirect_uri", "http://t.example/oauth/trakt/callback"),
        ("grant_type", "authorization_code"),
    ]
    assert 43 <= len(verifier) <= 128
    digest = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()
    assert digest == query["code_challenge"]
    assert person.token("trakt") == "a1"
    assert checks == [person.connection("trakt").id]
    assert "Trakt is connected" in person.words()


def test_without_a_client_secret_only_the_verifier_is_sent(person: Person, web: Any) -> None:
    person.site.config["TSUZUKI"] = person.site.config["TSUZUKI"].replace(TRAKT_CLIENT_SECRET=None)
    state = dict(parse_qsl(urlsplit(person.post("/oauth/trakt/start").location).query))["state"]
    web.post(f"{TRAKT}/token", json=_issued())
    person.get(f"/oauth/trakt/callback?code=c1&state={state}")
    body = json.loads(web.calls[0].request.body)
    assert "client_secret" not in body
    assert body["code_verifier"]


def test_a_state_works_once(person: Person, web: Any) -> None:
    state = dict(parse_qsl(urlsplit(person.post("/oauth/trakt/start").location).query))["state"]
    web.post(f"{TRAKT}/token", json=_issued())
    person.get(f"/oauth/trakt/callback?code=c1&state={state}")
    person.get(f"/oauth/trakt/callback?code=c2&state={state}")
    assert len(web.calls) == 1
    assert "older than 10 minutes" in person.words()


@pytest.mark.parametrize("state", ["made-up", "", "another's", "too old", "of anilist"])
def test_a_callback_counts_only_with_a_state_that_this_person_began(
    app: Flask, person: Person, web: Any, state: str
) -> None:
    if state == "another's":
        other = person.another()
        with person.site.app_context():
            state = flows.begin_code(other, "trakt").state
    elif state == "too old":
        state = person.begin("trakt")
        person.change_flow(expires_at=utcnow() - timedelta(seconds=1))
    elif state == "of anilist":
        state = person.begin("anilist")
    answer = person.get(f"/oauth/trakt/callback?code=c1&state={state}")
    assert answer.status_code == 303
    assert len(web.calls) == 0
    assert person.token("trakt") is None


def test_a_callback_without_a_signed_in_person_asks_to_sign_in(person: Person) -> None:
    state = person.begin("trakt")
    answer = person.site.test_client().get(f"/oauth/trakt/callback?code=c1&state={state}")
    assert "/login" in answer.location


def test_the_state_and_the_verifier_never_reach_the_browser_in_the_clear(person: Person) -> None:
    person.post("/oauth/trakt/start")
    flow = person.flow()
    assert (flow.verifier or "").startswith("gAAAA")
    assert flow.user_id == person.id


def test_who_says_no_on_trakt_reads_that_nothing_was_connected(person: Person) -> None:
    person.get("/oauth/trakt/callback?error=access_denied&state=x")
    assert "You said no on Trakt" in person.words()


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        ({"status": 400, "json": {"error": "invalid_grant"}}, "does not accept this code"),
        ({"status": 401, "json": {"error": "invalid_client"}}, "does not know this app"),
        ({"status": 403, "body": "<html>", "content_type": "text/html"}, "refused the sign-in (http_403)"),
        ({"status": 503, "body": ""}, "did not answer clearly"),
        ({"body": requests.ReadTimeout()}, "did not answer clearly"),
    ],
)
def test_a_sign_in_that_fails_says_why_in_plain_words(
    person: Person, web: Any, answer: dict[str, Any], words: str
) -> None:
    state = person.begin("trakt")
    web.post(f"{TRAKT}/token", **answer)
    person.get(f"/oauth/trakt/callback?code=c1&state={state}")
    assert words in person.words()
    assert len(web.calls) == 1


def test_a_trakt_code_can_be_pasted_and_typed_again_after_a_slip(person: Person, web: Any) -> None:
    page = person.post("/oauth/trakt/start", how="paste").text
    assert "urn:ietf:wg:oauth:2.0:oob" in page
    state = re.search(r'name="state" value="([^"]+)"', page)
    assert state
    web.post(f"{TRAKT}/token", status=400, json={"error": "invalid_grant"})
    again = person.post("/oauth/trakt/code", code="slip", state=state[1])
    assert again.status_code == 422
    assert "does not accept this code" in again.text
    web.replace(responses.POST, f"{TRAKT}/token", json=_issued())
    assert person.post("/oauth/trakt/code", code=" c 1\n", state=state[1]).status_code == 303
    body = json.loads(web.calls[1].request.body)
    assert (body["code"], body["redirect_uri"]) == ("c1", "urn:ietf:wg:oauth:2.0:oob")
    assert person.token("trakt") == "a1"


def test_anilist_is_signed_in_with_its_json(person: Person, web: Any) -> None:
    address = urlsplit(person.post("/oauth/anilist/start").location)
    query = dict(parse_qsl(address.query))
    assert f"{address.scheme}://{address.netloc}{address.path}" == f"{ANILIST}/authorize"
    assert list(query) == ["response_type", "client_id", "redirect_uri", "state"]
    answer = {"token_type": "Bearer", "expires_in": 31536000, "access_token": "jwt", "refresh_token": "nothing"}
    web.post(f"{ANILIST}/token", json=answer)
    person.get(f"/oauth/anilist/callback?code=def502&state={query['state']}")
    assert json.loads(web.calls[0].request.body) == {
        "grant_type": "authorization_code",
        "client_id": "123",
        "client_secret": "quiet",
        "redirect_uri": "http://t.example/oauth/anilist/callback",
        "code": "def502",
    }
    row = person.connection("anilist")
    assert row.refresh_token is None
    assert row.expires_at is not None
    assert timedelta(days=364) < row.expires_at - utcnow() < timedelta(days=366)


def test_anilists_pin_page_is_used_for_pasting(person: Person) -> None:
    assert f"{ANILIST}/pin" in person.post("/oauth/anilist/start", how="paste").text


def _jwt(expires: int) -> str:
    claims = base64.urlsafe_b64encode(json.dumps({"exp": expires}).encode()).decode().rstrip("=")
    return f"head.{claims}.sign"


def test_an_anilist_token_can_be_pasted(person: Person, web: Any, checks: list[int]) -> None:
    person.post("/oauth/anilist/code", code=_jwt(1_900_000_000))
    assert person.token("anilist") == _jwt(1_900_000_000)
    assert len(checks) == 1
    person.post("/oauth/anilist/code", code=_jwt(1_000_000_000))
    assert "has expired" in person.words()


@pytest.mark.parametrize(
    ("typed", "name"),
    [("hanako", "hanako"), (" https://anilist.co/user/Hanako_1/ ", "Hanako_1"), ("a b", None), ("", None)],
)
def test_a_name_is_enough_for_a_public_list(person: Person, checks: list[int], typed: str, name: str | None) -> None:
    person.post("/oauth/anilist/name", name=typed)
    if name is None:
        assert checks == []
        assert "2 to 20 letters" in person.words()
    else:
        row = person.connection("anilist")
        assert (row.state, row.account_name, checks) == ("name_only", name, [row.id])


DEVICE = {
    "device_code": "d1", "user_code": "5055CC52", "verification_url": "https://trakt.tv/activate",
    "expires_in": 600, "interval": 5,
}  # fmt: skip


def _begin_device(person: Person, web: Any) -> str:
    web.post(f"{TRAKT}/device/code", json=DEVICE)
    answer = person.post("/oauth/trakt/device")
    assert json.loads(web.calls[0].request.body) == {"client_id": "app-1"}
    return str(urlsplit(answer.location).path)


def _make_due(person: Person) -> None:
    person.change_flow(device={**person.flow().device, "next_poll": 0})


def test_a_device_code_is_shown_and_polled_no_faster_than_allowed(person: Person, web: Any) -> None:
    path = _begin_device(person, web)
    page = person.get(path).text
    assert "5055CC52" in page
    assert "https://trakt.tv/activate" in page
    assert len(web.calls) == 1  # the first question may be asked after the interval only
    _make_due(person)
    web.post(f"{TRAKT}/device/token", status=400, body="")
    assert 'hx-trigger="every 5s"' in person.get(path, hx=True).text
    assert json.loads(web.calls[1].request.body) == {"code": "d1", "client_id": "app-1", "client_secret": "hush"}
    person.get(path, hx=True)
    assert len(web.calls) == 2
    _make_due(person)
    web.replace(responses.POST, f"{TRAKT}/device/token", status=429, body="")
    assert 'hx-trigger="every 10s"' in person.get(path, hx=True).text


def test_a_typed_device_code_connects(person: Person, web: Any, checks: list[int]) -> None:
    path = _begin_device(person, web)
    _make_due(person)
    web.post(f"{TRAKT}/device/token", json=_issued())
    answer = person.get(path, hx=True)
    assert (answer.status_code, checks) == (286, [person.connection("trakt").id])
    assert "hx-trigger" not in answer.text
    assert person.token("trakt") == "a1"
    assert person.get(path).status_code == 303
    assert len(web.calls) == 2


@pytest.mark.parametrize(
    ("status", "words"), [(410, "has run out"), (418, "You said no"), (409, "used already"), (404, "refused the code")]
)
def test_a_device_code_that_ends_says_why(person: Person, web: Any, status: int, words: str) -> None:
    path = _begin_device(person, web)
    _make_due(person)
    web.post(f"{TRAKT}/device/token", status=status, body="")
    answer = person.get(path, hx=True)
    assert answer.status_code == 286
    assert words in answer.text


def test_a_device_code_belongs_to_the_person_who_asked_for_it(person: Person, web: Any) -> None:
    path = _begin_device(person, web)
    person.change_flow(user_id=person.another())
    assert person.get(path).status_code == 404


def test_a_device_code_runs_out_without_asking(person: Person, web: Any) -> None:
    path = _begin_device(person, web)
    person.change_flow(expires_at=utcnow())
    assert "has run out" in person.get(path, hx=True).text
    assert len(web.calls) == 1


def test_an_app_is_kept_and_its_secret_never_shown(person: Person) -> None:
    person.post("/oauth/trakt/app", client_id="mine", client_secret="s3cret")
    assert person.app("trakt") == ("mine", "s3cret")
    person.post("/oauth/trakt/app", client_id="mine", client_secret="")
    assert person.app("trakt") == ("mine", "s3cret")
    assert "s3cret" not in person.words()
    person.post("/oauth/trakt/app", client_id="other", client_secret="")
    assert person.app("trakt") == ("other", None)
    person.post("/oauth/trakt/app", client_id="", client_secret="")
    assert person.app("trakt") == ("app-1", "hush")


@pytest.mark.parametrize(("service", "client_id"), [("trakt", "has space"), ("trakt", "x" * 201), ("anilist", "abc")])
def test_an_app_that_cannot_be_is_refused(person: Person, service: Service, client_id: str) -> None:
    before = person.app(service)
    assert person.post(f"/oauth/{service}/app", client_id=client_id).status_code == 303
    assert person.app(service) == before


def test_signing_in_without_an_app_says_what_is_missing(person: Person) -> None:
    person.site.config["TSUZUKI"] = person.site.config["TSUZUKI"].replace(
        TRAKT_CLIENT_ID=None, ANILIST_CLIENT_SECRET=None
    )
    person.post("/oauth/trakt/start")
    assert "client ID of your Trakt app" in person.words()
    person.post("/oauth/trakt/device")
    assert "client ID of your Trakt app" in person.words()
    person.post("/oauth/anilist/start")
    assert "client secret of your app" in person.words()


def test_disconnecting_revokes(person: Person, web: Any) -> None:
    with person.site.app_context():
        tokens.store(person.id, "trakt", Tokens("a1", "r1", None))
    web.post(f"{TRAKT}/revoke", status=200, body="")
    person.post("/oauth/trakt/disconnect")
    assert person.connection("trakt").state == "disconnected"
    assert json.loads(web.calls[0].request.body)["token"] == "a1"


def test_a_code_to_type_comes_first_where_the_address_is_not_https(person: Person) -> None:
    page = person.words()
    assert page.index("/oauth/trakt/device") < page.index("/oauth/trakt/start")
    person.site.config["TSUZUKI"] = person.site.config["TSUZUKI"].replace(PUBLIC_URL="https://t.example")
    page = person.words()
    assert page.index("/oauth/trakt/start") < page.index("/oauth/trakt/device")


def test_a_form_without_its_token_is_refused(person: Person) -> None:
    for path in ("/oauth/trakt/start", "/oauth/anilist/name", "/oauth/trakt/disconnect", "/oauth/trakt/app"):
        assert person.browser.client.post(path, data={"name": "x"}).status_code in (400, 403)


def test_an_unknown_service_is_not_found(person: Person) -> None:
    assert person.get("/oauth/simkl/callback").status_code == 404
