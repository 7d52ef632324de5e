"""What keeps strangers out: form tokens, the `Origin` check, headers, cookies, trusted proxies, slow guessing.

Loosely after https://cheatsheetseries.owasp.org/cheatsheets/Cross-Site_Request_Forgery_Prevention_Cheat_Sheet.html
"""

from __future__ import annotations

import ipaddress
import math
import secrets
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

from flask import Flask, Response, abort, current_app, request
from flask_wtf.csrf import CSRFProtect
from limits import parse
from limits.storage import MemoryStorage
from limits.strategies import MovingWindowRateLimiter
from werkzeug.middleware.proxy_fix import ProxyFix

from webapp.auth import is_open_path
from webapp.config import SETTINGS, Config
from webapp.i18n import gettext as _

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
ANILIST_IMAGES = "https://s4.anilist.co"
ATTEMPTS = parse("10 per 5 minutes")  # wrong passwords or codes, by address and by name

csrf = CSRFProtect()


def init_security(app: Flask, config: Config) -> None:
    root = config.APPLICATION_ROOT
    app.config.update(
        SECRET_KEY=config.SECRET_KEY or secret_from_file(config),
        SECRET_KEY_FALLBACKS=[key.strip() for key in (config.SECRET_KEY_FALLBACKS or "").split(",") if key.strip()],
        SESSION_COOKIE_NAME=f"tsuzuki_{config.PORT}",  # two of them on one host don't sign each other out
        SESSION_COOKIE_PATH=root,
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        SESSION_COOKIE_SECURE=config.public_url.startswith("https://"),
        PERMANENT_SESSION_LIFETIME=timedelta(days=30),
        MAX_CONTENT_LENGTH=2 * 1024 * 1024,
        MAX_FORM_PARTS=20_000,  # a preview has one tick box for each entry
        WTF_CSRF_CHECK_DEFAULT=False,  # check_form below decides by path
        WTF_CSRF_TIME_LIMIT=None,  # as long as the session
        WTF_CSRF_SSL_STRICT=False,  # check_form looks at Origin instead
    )
    csrf.init_app(app)
    app.extensions["tsuzuki_attempts"] = MovingWindowRateLimiter(MemoryStorage())
    app.before_request(check_form)
    app.after_request(add_headers)
    policy = content_policy(config)
    app.config["CONTENT_POLICY"] = policy
    # Flask declares wsgi_app as a method; replacing it is its documented way to add a middleware.
    app.wsgi_app = UnderRoot(app.wsgi_app, root)  # type: ignore[method-assign]
    if config.TRUST_PROXY:
        app.wsgi_app = TrustedProxies(app.wsgi_app, config.TRUST_PROXY, config.TRUST_PROXY_FROM)  # type: ignore[method-assign]


def secret_from_file(config: Config) -> str:
    """The key in `DATA_DIR/secret_key`, made once, readable by its owner only."""
    path = config.data_dir / "secret_key"
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        draft = path.with_name(f"secret_key.{secrets.token_hex(4)}")
        draft.touch(mode=0o600, exist_ok=False)
        draft.write_text(secrets.token_urlsafe(48), encoding="ascii")
        # A link appears whole or not at all, and never replaces the key of a process that came first.
        with suppress(FileExistsError):
            path.hardlink_to(draft)
        draft.unlink()
    return path.read_text(encoding="ascii").strip()


# Forms


def check_form() -> None:
    """What changes something comes from one of our own pages: its token fits, and so does its origin."""
    if request.method in SAFE_METHODS or is_open_path(request.path):
        return
    check_origin()
    csrf.protect()


def check_origin() -> None:
    origin = request.headers.get("Origin")
    own = {f"{request.scheme}://{request.host}", _origin(current_app.config["TSUZUKI"].public_url)}
    if origin is not None:
        if origin not in own:
            abort(
                403,
                _(
                    "This form came from %(origin)s, but Tsuzuki is served at %(own)s. Behind a proxy, set PUBLIC_URL to the address that you open.",
                    origin=origin,
                    own=", ".join(sorted(own)),
                ),
            )
    elif request.headers.get("Sec-Fetch-Site", "same-origin") not in ("same-origin", "none"):
        abort(403, _("This form came from another site."))  # fmt: skip


def _origin(address: str) -> str:
    parts = urlsplit(address)
    return f"{parts.scheme}://{parts.netloc}"


# Guessing


def may_try(*who: str) -> bool:
    """False after ten wrong tries within five minutes for any of `who` (an address, a name)."""
    limiter: MovingWindowRateLimiter = current_app.extensions["tsuzuki_attempts"]
    return all(limiter.test(ATTEMPTS, name) for name in who)


def count_wrong_try(*who: str) -> None:
    limiter: MovingWindowRateLimiter = current_app.extensions["tsuzuki_attempts"]
    for name in who:
        limiter.hit(ATTEMPTS, name)


def seconds_to_wait(*who: str) -> int:
    """Until a try of all of `who` is looked at again, from 1; 0 where it is looked at now."""
    limiter: MovingWindowRateLimiter = current_app.extensions["tsuzuki_attempts"]
    closed = [name for name in who if not limiter.test(ATTEMPTS, name)]
    ends = [limiter.get_window_stats(ATTEMPTS, name).reset_time for name in closed]
    return max((max(math.ceil(end - time.time()), 1) for end in ends), default=0)


# Headers


def content_policy(config: Config) -> str:
    """Own scripts and styles only; posters from AniList, or from the stand-in when its address was changed."""
    defaults = {setting.name: setting.default for setting in SETTINGS}
    images = {"'self'", ANILIST_IMAGES}
    if defaults["ANILIST_API_URL"] != config.ANILIST_API_URL:
        images.add(_origin(config.ANILIST_API_URL))
    # Chromium holds the redirect that answers a form to form-action too: sign-in goes to the services.
    forms = {"'self'", _origin(config.ANILIST_AUTH_URL), _origin(config.TRAKT_AUTH_URL), "https://trakt.tv"}
    rules = {
        "default-src": "'none'",
        "script-src": "'self'",
        "style-src": "'self'",
        "img-src": " ".join(sorted(images)),
        "connect-src": "'self'",
        "manifest-src": "'self'",
        "form-action": " ".join(sorted(forms)),
        "base-uri": "'none'",
        "frame-ancestors": "'none'",
    }
    return "; ".join(f"{name} {value}" for name, value in rules.items())


def add_headers(response: Response) -> Response:
    headers = response.headers
    headers.setdefault("Content-Security-Policy", current_app.config["CONTENT_POLICY"])
    headers["X-Content-Type-Options"] = "nosniff"
    headers["Referrer-Policy"] = "same-origin"
    headers["X-Frame-Options"] = "DENY"
    headers["Cross-Origin-Opener-Policy"] = "same-origin"
    headers["Permissions-Policy"] = "camera=(), geolocation=(), microphone=()"
    if request.endpoint == "static":
        if "v" in request.args and response.status_code in (200, 304):  # the address holds a hash of the file
            headers["Cache-Control"] = "public, max-age=31536000, immutable"
    else:
        headers.setdefault("Cache-Control", "no-store" if is_open_path(request.path) else "private, no-cache")
        response.vary.add("HX-Request")
    return response


# Proxies

Wsgi = Callable[[dict[str, Any], Any], Iterable[bytes]]


class UnderRoot:
    """Serves below `APPLICATION_ROOT`, whether the proxy in front cuts that path off or not."""

    def __init__(self, app: Wsgi, root: str) -> None:
        self.app = app
        self.root = root.rstrip("/")

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        if self.root:
            environ["SCRIPT_NAME"] = self.root
            path = environ.get("PATH_INFO", "")
            if path == self.root or path.startswith(self.root + "/"):
                environ["PATH_INFO"] = path[len(self.root) :] or "/"
        return self.app(environ, start_response)


class TrustedProxies:
    """Believes `X-Forwarded-*` only when the one who connects is a proxy that was named."""

    def __init__(self, app: Wsgi, count: int, networks: Iterable[str]) -> None:
        self.plain = app
        self.fixed = ProxyFix(app, x_for=count, x_proto=count, x_host=count)
        self.networks = tuple(ipaddress.ip_network(name, strict=False) for name in networks)

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        try:
            address = ipaddress.ip_address(environ.get("REMOTE_ADDR", ""))
        except ValueError:
            return self.plain(environ, start_response)
        known = any(address in network for network in self.networks)
        return (self.fixed if known else self.plain)(environ, start_response)
