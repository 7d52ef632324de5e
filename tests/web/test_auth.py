"""Who may see and do what."""

from __future__ import annotations

import pytest
from flask import Flask
from sqlalchemy import func, select

from tests.web.conftest import PASSWORD, Browser
from tests.web.seed import seed
from webapp import auth
from webapp.app import create_app
from webapp.config import Config
from webapp.extensions import Base, db
from webapp.models import User

OPEN = {"/login", "/setup"}


def pages(app: Flask, method: str) -> list[str]:
    """Every address of the site but the scripts' ones, with ids filled in."""
    found = []
    for rule in app.url_map.iter_rules():
        if method not in (rule.methods or set()) or rule.endpoint == "static" or auth.is_open_path(rule.rule):
            continue
        path = rule.rule
        for name in rule.arguments:
            converter = "int:" if f"<int:{name}>" in path else ""
            path = path.replace(f"<{converter}{name}>", "1" if converter else "anilist")
        found.append(path)
    return sorted(found)


def test_every_page_leads_a_stranger_to_the_sign_in(site: Flask, hanako: int, stranger: Browser) -> None:
    for path in pages(site, "GET"):
        if path in OPEN:
            continue
        answer = stranger.client.get(path)
        assert answer.status_code == 303, path
        assert answer.location.startswith("/login"), path


def test_every_action_refuses_a_stranger(site: Flask, hanako: int, stranger: Browser) -> None:
    token = stranger.token()
    for path in pages(site, "POST"):
        if path in OPEN:
            continue
        answer = stranger.client.post(path, data={"csrf_token": token})
        assert (answer.status_code, answer.location) == (303, "/login"), path


def test_a_fragment_tells_htmx_where_to_sign_in(hanako: int, stranger: Browser) -> None:
    answer = stranger.client.get("/history", headers={"HX-Request": "true"})
    assert answer.status_code == 401
    assert answer.headers["HX-Redirect"] == "/login"


def test_every_action_needs_the_token_of_a_form(site: Flask, small: Browser) -> None:
    for path in pages(site, "POST"):
        assert small.client.post(path).status_code == 400, path


def test_the_token_may_come_in_the_header_of_htmx(browser: Browser) -> None:
    answer = browser.client.post("/caches/otaku", headers={"X-CSRFToken": browser.token(), "HX-Request": "true"})
    assert answer.status_code == 200


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Origin": "http://localhost"}, 303),
        ({"Origin": "http://127.0.0.1:8000"}, 303),  # PUBLIC_URL
        ({"Origin": "https://elsewhere.example"}, 403),
        ({"Origin": "null"}, 403),
        ({"Sec-Fetch-Site": "same-origin"}, 303),
        ({"Sec-Fetch-Site": "cross-site"}, 403),
    ],
)
def test_a_form_of_another_site_is_refused(browser: Browser, headers: dict[str, str], status: int) -> None:
    answer = browser.client.post("/logout", data={"csrf_token": browser.token()}, headers=headers)
    assert answer.status_code == status


def test_no_get_changes_anything(site: Flask, hanako: int, small: Browser) -> None:
    def everything() -> dict[str, list[tuple[object, ...]]]:
        with site.app_context():
            return {
                name: [tuple(row) for row in db.session.execute(select(table))]
                for name, table in Base.metadata.tables.items()
            }

    before = everything()
    for path in pages(site, "GET"):
        if path != "/oauth/anilist/callback":
            small.client.get(path)
    assert everything() == before


def test_signing_in_makes_a_new_session_and_goes_where_one_wanted(hanako: int, stranger: Browser) -> None:
    wanted = stranger.client.get("/history?q=x").location
    assert wanted == "/login?next=/history?q%3Dx"
    stranger.client.get(wanted)
    before = stranger.token()
    data = {"username": "hanako", "password": PASSWORD, "next": "/history?q=x"}
    assert stranger.post("/login", data) == "/history?q=x"
    assert stranger.token() != before
    assert stranger.client.get("/login").location == "/"


@pytest.mark.parametrize(
    "elsewhere", ["https://evil.example", "//evil.example", "/\\evil.example", "javascript:1", "/\t/evil"]
)
def test_the_sign_in_never_leads_away(hanako: int, stranger: Browser, elsewhere: str) -> None:
    assert stranger.post("/login", {"username": "hanako", "password": PASSWORD, "next": elsewhere}) == "/"


def test_a_wrong_password_says_so_beside_the_field_and_keeps_the_name(hanako: int, stranger: Browser) -> None:
    text = stranger.post("/login", {"username": "hanako", "password": "wrong"}, status=422)
    assert 'value="hanako"' in text
    assert "belong together" in text
    assert "belong together" in stranger.post("/login", {"username": "nobody", "password": "wrong"}, status=422)


def test_an_unknown_name_takes_as_long_as_a_wrong_password() -> None:
    """It is checked against a hash of the same cost as ours are now."""
    assert not auth._hasher.check_needs_rehash(auth._NOBODY)
    assert not auth.password_fits(auth._NOBODY, "nobody has this password")


def test_ten_wrong_passwords_close_the_door_for_a_while(
    hanako: int, stranger: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(auth, "password_fits", lambda _hash, given: given == PASSWORD)
    for _ in range(10):
        stranger.post("/login", {"username": "hanako", "password": "wrong"}, status=422)
    assert "Too many" in stranger.post("/login", {"username": "hanako", "password": PASSWORD}, status=429)
    assert stranger.last is not None
    assert 290 < int(stranger.last.headers["Retry-After"]) <= 300


def test_signing_out_ends_the_session(browser: Browser) -> None:
    assert browser.post("/logout") == "/login"
    assert browser.client.get("/").status_code == 303


def test_a_new_password_signs_other_browsers_out(site: Flask, browser: Browser) -> None:
    other = Browser(site).sign_in()
    browser.post("/settings/password", {"current": "wrong", "new": "another long one"}, status=422)
    browser.post("/settings/password", {"current": PASSWORD, "new": "short"}, status=422)
    browser.post("/settings/password", {"current": PASSWORD, "new": "another long one"})
    browser.get("/")
    assert other.client.get("/").status_code == 303


# The first account


def test_the_first_visit_on_this_machine_makes_the_account_and_closes_the_door(site: Flask, stranger: Browser) -> None:
    assert stranger.client.get("/").location == "/setup"
    assert stranger.client.get("/login").location == "/setup"
    assert "One-time code" not in stranger.get("/setup")
    stranger.post("/setup", {"username": "", "password": "short"}, status=422)
    assert stranger.post("/setup", {"username": "hanako", "password": PASSWORD}) == "/"
    assert "Step 2 of 5" in stranger.get("/")
    stranger.get("/setup", status=404)
    stranger.post("/setup", {"username": "eve", "password": PASSWORD}, status=404)


@pytest.mark.parametrize(
    ("address", "host", "header"),
    [("192.0.2.1", "localhost", ""), ("127.0.0.1", "tsuzuki.example", ""), ("127.0.0.1", "localhost", "198.51.100.7")],
)
def test_from_elsewhere_the_set_up_asks_for_the_code_that_the_start_printed(
    site: Flask, address: str, host: str, header: str
) -> None:
    with site.app_context():
        code = auth.setup_code()
    far = Browser(site, f"http://{host}")
    far.client.environ_base["REMOTE_ADDR"] = address
    if header:
        far.client.environ_base["HTTP_X_FORWARDED_FOR"] = header
    data = {"username": "hanako", "password": PASSWORD}
    assert "This is not the code" in far.post("/setup", data, status=422)
    assert "This is not the code" in far.post("/setup", {**data, "code": "1111-2222-3333"}, status=422)
    assert far.post("/setup", {**data, "code": f" {code} "}) == "/"


def test_there_is_only_one_first_account(site: Flask) -> None:
    with site.app_context():
        auth.create_first_account("hanako", PASSWORD)
        with pytest.raises(auth.AccountExists):
            auth.create_first_account("eve", PASSWORD)
        assert auth.setup_code() is None
        assert db.session.scalar(select(func.count()).select_from(User)) == 1


def test_the_demo_signs_in_by_itself_unless_one_signed_out(config: Config) -> None:
    app = create_app(config.replace(DEMO=True))
    with app.app_context():
        db.create_all()
        auth.create_first_account("demo", PASSWORD)
    visitor = Browser(app)
    visitor.get("/")
    visitor.post("/logout")
    assert visitor.client.get("/").location.startswith("/login")
    assert visitor.client.get("/settings").location.startswith("/login")


# Scripts


def test_a_cookie_opens_no_script_and_a_bearer_token_no_page(site: Flask, browser: Browser) -> None:
    assert browser.client.get("/api/status").status_code == 401
    bearer = {"Authorization": "Bearer test-api-token"}
    assert Browser(site).client.get("/settings", headers=bearer).status_code == 303
    assert Browser(site).client.get("/api/status", headers=bearer).status_code == 200


@pytest.mark.parametrize("given", ["", "Bearer wrong", "Basic test-api-token", "Bearer", "Bearer tést"])
def test_only_the_right_bearer_token_is_somebody(site: Flask, hanako: int, given: str) -> None:
    with site.test_request_context(headers={"Authorization": given}):
        assert auth.bearer_user() is None
    with site.test_request_context(headers={"Authorization": "bearer test-api-token"}):
        person = auth.bearer_user()
        assert person is not None
        assert person.id == hanako
        assert not db.session().in_transaction()


def test_another_persons_runs_and_titles_are_not_there(site: Flask, hanako: int, browser: Browser) -> None:
    with site.app_context():
        eve = User(username="eve", password_hash="unusable")
        db.session.add(eve)
        db.session.commit()
        seed(eve.id, times=1)
    for path in ("/runs/1", "/runs/1/log", "/runs/1/progress"):
        browser.get(path, status=404)
    assert "Title 16" not in browser.get("/mappings")
    assert "Title 16" not in browser.get("/history")
    assert "A line at info" not in browser.get("/logs")
    browser.post("/mappings/16/choice", {"choice": "never"}, status=404)
