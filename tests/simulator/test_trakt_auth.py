"""Sign-in at the stand-in Trakt: code with PKCE, device code, refresh tokens that work once."""

from __future__ import annotations

import base64
import hashlib
from typing import Any

import pytest

from tests.simulator.conftest import Clock, Door
from webapp.simulator import constants

APP = {"client_id": constants.TRAKT_CLIENT_ID, "client_secret": constants.TRAKT_CLIENT_SECRET}
BACK = "http://127.0.0.1:8000/oauth/trakt/callback"


def post(door: Door, path: str, body: dict[str, str]) -> Any:
    return door.client.post(f"/trakt-auth/oauth/{path}", json=body)


def refresh(door: Door, token: str) -> Any:
    return post(door, "token", {**APP, "redirect_uri": BACK, "grant_type": "refresh_token", "refresh_token": token})


def approved_code(door: Door, **more: str) -> str:
    asked = {
        "client_id": constants.TRAKT_CLIENT_ID,
        "response_type": "code",
        "redirect_uri": BACK,
        "state": "s1",
        **more,
    }
    assert b"Approve" in door.client.get("/trakt-auth/oauth/authorize", query_string=asked).data
    sent = door.client.post(
        "/trakt-auth/oauth/authorize", data={**asked, "answer": "approve", "account": constants.TRAKT_ACCOUNT}
    )
    address = sent.headers["Location"]
    assert address.startswith(BACK + "?")
    assert address.endswith("&state=s1")
    code: str = address.partition("code=")[2].partition("&")[0]
    return code


def test_a_refresh_token_works_once_and_the_new_pair_works(door: Door) -> None:
    first = refresh(door, constants.TRAKT_REFRESH_TOKEN)
    assert first.status_code == 200
    assert first.json["expires_in"] == 604_800
    assert first.json["token_type"] == "bearer"
    second = refresh(door, constants.TRAKT_REFRESH_TOKEN)
    assert second.status_code == 400
    assert second.json == {"error": "invalid_grant", "error_description": "session not found"}
    assert door.trakt("/users/settings", Authorization=f"Bearer {first.json['access_token']}").status_code == 200
    assert refresh(door, first.json["refresh_token"]).status_code == 200


def test_pkce_needs_the_verifier_and_a_code_works_once(door: Door) -> None:
    verifier = "v" * 64
    challenge = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()
    body = {"client_id": constants.TRAKT_CLIENT_ID, "redirect_uri": BACK, "grant_type": "authorization_code"}
    code = approved_code(door, code_challenge=challenge, code_challenge_method="S256")
    assert post(door, "token", {**body, "code": code, "code_verifier": "w" * 64}).json["error"] == "invalid_grant"
    code = approved_code(door, code_challenge=challenge, code_challenge_method="S256")
    assert post(door, "token", {**body, "code": code, "code_verifier": verifier}).status_code == 200
    assert post(door, "token", {**body, "code": code, "code_verifier": verifier}).status_code == 400


def test_without_pkce_the_secret_is_needed_and_the_redirect_must_fit(door: Door) -> None:
    body = {"grant_type": "authorization_code", "redirect_uri": BACK}
    assert post(door, "token", {**body, "client_id": APP["client_id"], "code": approved_code(door)}).status_code == 401
    assert (
        post(door, "token", {**body, **APP, "code": approved_code(door), "redirect_uri": BACK + "/"}).status_code == 400
    )
    assert post(door, "token", {**body, **APP, "code": approved_code(door)}).status_code == 200


def test_a_deleted_app_is_invalid_client(door: Door) -> None:
    door.control("app", {"state": "deleted"})
    answer = refresh(door, constants.TRAKT_REFRESH_TOKEN)
    assert (answer.status_code, answer.json["error"]) == (401, "invalid_client")


def test_revoke_answers_200_with_nothing_even_for_an_unknown_token(door: Door) -> None:
    for token in (constants.TRAKT_ACCESS_TOKEN, "never heard of"):
        answer = post(door, "revoke", {**APP, "token": token})
        assert (answer.status_code, answer.data) == (200, b"")
    assert door.trakt("/users/settings").status_code == 401
    assert refresh(door, constants.TRAKT_REFRESH_TOKEN).status_code == 400


@pytest.fixture
def device(door: Door) -> dict[str, str]:
    body: dict[str, str] = post(door, "device/code", {"client_id": constants.TRAKT_CLIENT_ID}).json
    assert body["verification_url"].endswith("/trakt-auth/activate")
    return body


def poll(door: Door, clock: Clock, code: str, wait: float = 5) -> int:
    clock.now += wait
    status: int = post(door, "device/token", {**APP, "code": code}).status_code
    return status


def answer_device(door: Door, user_code: str, answer: str) -> int:
    form = {"user_code": user_code.lower(), "account": constants.SECOND_TRAKT_ACCOUNT, "answer": answer}
    status: int = door.client.post("/trakt-auth/activate", data=form).status_code
    return status


def test_a_device_code_waits_is_approved_once_and_then_used(door: Door, clock: Clock, device: dict[str, str]) -> None:
    assert poll(door, clock, device["device_code"]) == 400
    assert poll(door, clock, device["device_code"], wait=1) == 429
    assert answer_device(door, device["user_code"], "approve") == 200
    assert poll(door, clock, device["device_code"]) == 200
    assert poll(door, clock, device["device_code"]) == 409
    assert answer_device(door, device["user_code"], "approve") == 404


def test_a_device_code_may_be_denied_expire_or_be_unknown(door: Door, clock: Clock, device: dict[str, str]) -> None:
    assert poll(door, clock, "no such code") == 404
    other = post(door, "device/code", {"client_id": constants.TRAKT_CLIENT_ID}).json
    answer_device(door, device["user_code"], "deny")
    assert poll(door, clock, device["device_code"]) == 418
    assert poll(door, clock, other["device_code"], wait=601) == 410
