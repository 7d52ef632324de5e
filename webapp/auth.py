"""Who is asking: passwords, the first account, the session of a browser and the bearer token of a script."""

from __future__ import annotations

import hashlib
import hmac
import ipaddress
import secrets
from typing import Any

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from flask import Flask, current_app, g, has_request_context, redirect, request, session, url_for
from flask.typing import ResponseReturnValue
from flask_login import LoginManager, current_user, login_user
from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError

from webapp.database import transaction
from webapp.extensions import db
from webapp.models import SystemConfig, User

_hasher = PasswordHasher()
# A password that was thrown away: verified when the name is unknown, so that both take as long.
_NOBODY = "$argon2id$v=19$m=65536,t=3,p=4$qr07e1G/9jL+rxxwyiubYw$SXnJgGUPqcrSJKCiv0zydhVRM+2C2/08jVfitfsv5to"

OPEN_PATHS = ("/api", "/cron", "/healthz", "/readyz", "/metrics", "/openapi")  # bearer tokens, or nothing to hide
OPEN_ENDPOINTS = frozenset({"static", "account.sign_in", "account.sign_in_send", "setup.show", "setup.create"})
SETUP_CLOSED, SETUP_CODE = "setup:closed", "setup:code"


class AccountExists(ValueError):
    """There is a first account already, or this name is taken."""


def hash_password(password: str) -> str:
    return _hasher.hash(password)


def password_fits(password_hash: str, password: str) -> bool:
    try:
        return _hasher.verify(password_hash, password)
    except (VerificationError, InvalidHashError):
        return False


def is_open_path(path: str) -> bool:
    """Paths of scripts: no session, no form token, no redirect to the sign-in page."""
    return any(path == open_path or path.startswith(open_path + "/") for open_path in OPEN_PATHS)


# The first account


def create_first_account(username: str, password: str) -> User:
    """Create the account that owns this instance. Race-safe; raises `AccountExists` when there is one."""
    password_hash = hash_password(password)
    try:
        with transaction() as session_:
            if session_.scalar(select(func.count()).select_from(User)):
                raise AccountExists("there is an account already")
            # The unique key decides between two that come at the same moment.
            session_.add(SystemConfig(user_id=None, key=SETUP_CLOSED, value="1"))
            person = User(username=username, password_hash=password_hash, is_admin=True)
            session_.add(person)
            session_.flush()
            code = session_.scalar(_instance_key(SETUP_CODE))
            if code is not None:
                session_.delete(code)
    except IntegrityError:
        raise AccountExists("there is an account already") from None
    return person


def first_account() -> User | None:
    """The account that `API_TOKEN`, the environment's tokens and the demo belong to."""
    return db.session.scalar(select(User).order_by(User.id).limit(1))


def setup_code() -> str | None:
    """A new one-time code for `/setup`, to be printed by the start; None when there is an account already.

    Only its hash is stored; a later start replaces it.
    """
    code = "-".join(secrets.token_hex(2) for _ in range(3))
    with transaction() as session_:
        if session_.scalar(select(func.count()).select_from(User)):
            return None
        row = session_.scalar(_instance_key(SETUP_CODE))
        if row is None:
            session_.add(SystemConfig(user_id=None, key=SETUP_CODE, value=_digest(code)))
        else:
            row.value = _digest(code)
    return code


def setup_code_fits(code: str) -> bool:
    """Needs an open transaction, or opens one for reading."""
    row = db.session.scalar(_instance_key(SETUP_CODE))
    return row is not None and hmac.compare_digest(row.value, _digest(code.strip().lower()))


def from_loopback() -> bool:
    """The browser runs on this machine: its address and the name it used say so, and no proxy stands between."""
    fixed = "werkzeug.proxy_fix.orig" in request.environ
    forwarded = any(name in request.headers for name in ("X-Forwarded-For", "Forwarded", "X-Real-IP", "Via"))
    if forwarded and not fixed:
        return False
    host = request.host.rsplit(":", 1)[0].strip("[]") if not request.host.endswith("]") else request.host.strip("[]")
    return _is_loopback(request.remote_addr or "") and (host == "localhost" or _is_loopback(host))


def _is_loopback(address: str) -> bool:
    try:
        return ipaddress.ip_address(address).is_loopback
    except ValueError:
        return False


def _digest(code: str) -> str:
    return hashlib.sha256(code.encode()).hexdigest()


def _instance_key(key: str) -> Any:
    return select(SystemConfig).where(SystemConfig.user_id.is_(None), SystemConfig.key == key)


# The session of a browser


def sign_in(person: User) -> None:
    """A new session, so that one set before the sign-in is worth nothing after it."""
    session.clear()
    session.permanent = True
    session["epoch"] = person.session_epoch
    login_user(person)


def sign_out() -> None:
    session.clear()
    session["signed_out"] = True  # the demo signs in by itself, but not against the person's will
    g.pop("_login_user", None)


def check_password(username: str, password: str) -> User | None:
    """The person of this name and password, in the same time whether the name exists or not."""
    with transaction(readonly=True) as session_:
        person: User | None = session_.scalar(select(User).where(User.username == username))
    if password_fits(person.password_hash if person else _NOBODY, password) and person:
        return person
    return None


def init_login(app: Flask) -> None:
    """Sessions by Flask-Login; every page needs one unless it is named in `OPEN_ENDPOINTS` or `OPEN_PATHS`."""
    manager = LoginManager()
    manager.session_protection = None  # addresses of phones change; the cookie is signed and HttpOnly
    manager.init_app(app)
    manager.user_loader(_load_user)
    app.before_request(require_sign_in)


def _load_user(user_id: str) -> User | None:
    person: User | None
    if db.session().in_transaction():
        person = db.session.get(User, int(user_id))
    else:
        with transaction(readonly=True) as session_:
            person = session_.get(User, int(user_id))
    if person is None or not has_request_context() or session.get("epoch") != person.session_epoch:
        return None
    return person


def require_sign_in() -> ResponseReturnValue | None:
    """Default deny: pages answer with the sign-in page, fragments with 401 and the address to go to."""
    if is_open_path(request.path) or request.endpoint in OPEN_ENDPOINTS or current_user.is_authenticated:
        return None
    person = _someone()
    if person is None:
        return redirect(url_for("setup.show"), 303)
    if current_app.config["TSUZUKI"].DEMO and not session.get("signed_out"):
        sign_in(person)
        return None
    if "HX-Request" in request.headers:
        return "", 401, {"HX-Redirect": url_for("account.sign_in")}
    wanted = request.full_path.rstrip("?") if request.method == "GET" else None
    return redirect(url_for("account.sign_in", next=wanted), 303)


def _someone() -> User | None:
    if db.session().in_transaction():
        return first_account()
    with transaction(readonly=True):
        return first_account()


# The bearer token of a script


def bearer_user() -> User | None:
    """The account that the request's `Authorization: Bearer ...` belongs to; None for a wrong or missing one.

    Leaves no transaction open, so that commands may begin their own.
    """
    token: str | None = current_app.config["TSUZUKI"].API_TOKEN
    scheme, _, given = request.headers.get("Authorization", "").partition(" ")
    if not token or scheme.lower() != "bearer":
        return None
    if not hmac.compare_digest(given.strip().encode(), token.encode()):
        return None
    return _someone()
