"""What the stand-in Trakt looks at before anything else: User-Agent, key, content type, token, pace, account."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from functools import wraps
from typing import Any

from flask import Response, g, request

from webapp.simulator import constants
from webapp.simulator.faults import CLOUDFLARE
from webapp.simulator.world import TraktAccount, World

READS, READ_WINDOW = 500, 300.0
View = Callable[..., Response]


class Gate:
    """What Trakt looks at before anything else: User-Agent, key, content type, token, account, pace."""

    def __init__(self, world: World) -> None:
        self.world = world

    def check(self) -> Response | None:
        world = self.world
        if not (request.headers.get("User-Agent") or "").strip():
            return Response(CLOUDFLARE, 403, mimetype="text/html")
        key = request.headers.get("trakt-api-key", "")
        if key in world.refused_apps:
            return Response(b"Forbidden", 403, mimetype="text/plain")
        if key != constants.TRAKT_CLIENT_ID:
            return Response(b"", 403)
        if request.method in ("POST", "PUT") and request.mimetype != "application/json":
            return Response(b"", 412)
        g.account = None
        header = request.headers.get("Authorization")
        if header:
            name, expires = world.access_tokens.get(header.removeprefix("Bearer ").strip(), ("", 0.0))
            if not name or expires <= world.clock():
                return Response(b"", 401)
            g.account = world.accounts[name]
        return self._pace() or self._trouble()

    def _trouble(self) -> Response | None:
        account: TraktAccount | None = g.account
        if account is None:
            return None
        if account.trouble == "locked":
            return Response(b"", 423, {"X-Account-Locked": "true", "X-Account-Deactivated": "false"})
        if account.trouble == "vip":
            return Response(b"", 426, {"X-Upgrade-URL": "https://trakt.tv/vip"})
        if account.trouble == "limit" and request.method != "GET":
            return Response(b"", 420)
        return None

    def _pace(self) -> Response | None:
        """One write a second per account, 500 reads in five minutes per account, or per key where nobody is signed in."""
        world = self.world
        if not world.settings.enforce_limits:
            return None
        account: TraktAccount | None = g.account
        write = request.method != "GET"
        name = "AUTHED_API_POST_LIMIT" if write else "AUTHED_API_GET_LIMIT" if account else "UNAUTHED_API_GET_LIMIT"
        limit, window = (1, 1.0) if write else (READS, READ_WINDOW)
        bucket = f"{name}:{account.name if account else request.remote_addr}"
        now = world.clock()
        recent = [t for t in world.waits.get(bucket, ()) if now - t < window]
        world.waits[bucket] = recent
        if len(recent) < limit:
            recent.append(now)
            return None
        wait = max(1, int(recent[0] + window - now) + 1) if window > 1 else 1
        until = datetime.fromtimestamp(now + wait, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        told = {"name": name, "period": int(window), "limit": limit, "remaining": 0, "until": until}
        return Response(b"", 429, {"Retry-After": str(wait), "X-Ratelimit": json.dumps(told)})

    def signed_in(self, view: View) -> View:
        """A view that gets the account first; 401 with an empty body without a token."""

        @wraps(view)
        def guarded(**values: Any) -> Response:
            if g.account is None:
                return Response(b"", 401)
            return view(g.account, **values)

        return guarded
