"""Headers, proxies, the path below which the app is served, error pages."""

from __future__ import annotations

from pathlib import Path

import pytest
from flask import Flask

from tests.web.conftest import PASSWORD, Browser
from webapp import auth
from webapp.app import create_app
from webapp.config import Config
from webapp.extensions import db
from webapp.security import content_policy, secret_from_file


def made(config: Config) -> Flask:
    app = create_app(config)
    with app.app_context():
        db.create_all()
        auth.create_first_account("hanako", PASSWORD)
    return app


def test_every_answer_has_the_headers_that_keep_strangers_out(browser: Browser) -> None:
    for path in ("/", "/nothing", "/static/css/app.css", "/api/status"):
        with browser.client.get(path) as answer:
            headers = answer.headers
        policy = headers["Content-Security-Policy"]
        assert "script-src 'self';" in policy
        assert "unsafe" not in policy
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["X-Frame-Options"] == "DENY"
        assert headers["Referrer-Policy"] == "same-origin"
    assert browser.client.get("/api/status").headers["Cache-Control"] == "no-store"


def test_posters_come_from_anilist_and_in_the_demo_from_the_stand_in(config: Config) -> None:
    changed = content_policy(config.replace(ANILIST_API_URL="http://127.0.0.1:9123/anilist"))
    assert "img-src 'self' http://127.0.0.1:9123 https://s4.anilist.co;" in changed
    plain = content_policy(config.replace(ANILIST_API_URL="https://graphql.anilist.co"))
    assert "img-src 'self' https://s4.anilist.co;" in plain


def test_the_session_cookie_is_kept_from_scripts_and_other_sites(config: Config) -> None:
    app = made(config.replace(PUBLIC_URL="https://tsuzuki.example", PORT=9001, APPLICATION_ROOT="/anime"))
    answer = Browser(app).client.get("/anime/login", base_url="https://tsuzuki.example")
    cookie = answer.headers["Set-Cookie"]
    assert cookie.startswith("tsuzuki_9001=")
    for part in ("HttpOnly", "SameSite=Lax", "Secure", "Path=/anime"):
        assert part in cookie


@pytest.mark.parametrize("path", ["/anime/login", "/login"])
def test_links_stand_below_the_root_whether_the_proxy_cuts_it_off_or_not(config: Config, path: str) -> None:
    text = made(config.replace(APPLICATION_ROOT="/anime")).test_client().get(path).get_data(as_text=True)
    assert 'action="/anime/login"' in text
    assert 'href="/anime/static/css/app.css' in text


@pytest.mark.parametrize(("address", "seen"), [("10.0.0.2", "198.51.100.7"), ("203.0.113.5", "203.0.113.5")])
def test_only_a_named_proxy_may_say_who_is_asking(config: Config, address: str, seen: str) -> None:
    app = create_app(config.replace(TRUST_PROXY=1, TRUST_PROXY_FROM=("10.0.0.0/8",)))
    found: list[str | None] = []

    @app.before_request
    def note() -> None:
        from flask import request

        found.append(request.remote_addr)

    with app.app_context():
        db.create_all()
    headers = {"X-Forwarded-For": "198.51.100.7", "X-Forwarded-Proto": "https"}
    app.test_client().get("/login", headers=headers, environ_base={"REMOTE_ADDR": address})
    assert found == [seen]


def test_errors_are_pages_fragments_and_json(browser: Browser) -> None:
    assert "Nothing is here" in browser.get("/nothing", status=404)
    assert "<html" not in browser.get("/nothing", status=404, hx=True)
    answer = browser.client.get("/api/nothing", headers={"Authorization": "Bearer test-api-token"})
    assert answer.status_code == 404
    assert answer.get_json()["code"] == "not_found"
    answer = browser.client.get("/logout")
    assert answer.status_code == 405
    assert "POST" in answer.headers["Allow"]


def test_what_breaks_is_never_shown(site: Flask, browser: Browser) -> None:
    def broken() -> str:
        raise RuntimeError("a secret path")

    site.view_functions["help.show"] = broken
    text = browser.get("/help", status=500)
    assert "Something broke here" in text
    assert "secret path" not in text


def test_a_form_that_is_too_old_says_to_load_the_page_again(browser: Browser) -> None:
    answer = browser.client.post("/settings/pause", data={"csrf_token": "old", "pause": "off"})
    assert answer.status_code == 400
    assert "load the page again" in answer.get_data(as_text=True)


def test_the_secret_key_is_made_once_and_readable_by_its_owner_only(config: Config, tmp_path: Path) -> None:
    config = config.replace(DATA_DIR=str(tmp_path / "fresh"))
    first = secret_from_file(config)
    assert len(first) >= 40
    assert secret_from_file(config) == first
    assert ((tmp_path / "fresh" / "secret_key").stat().st_mode & 0o777) == 0o600
    assert [path.name for path in (tmp_path / "fresh").iterdir()] == ["secret_key"]
