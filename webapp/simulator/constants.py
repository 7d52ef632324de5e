"""Fixed, well-known names of the simulator's accounts, apps and tokens. None of them opens anything outside."""

from __future__ import annotations

import base64
import json

ANILIST_USER_ID = 7_654_321
ANILIST_USER_NAME = "hanako"
SECOND_ANILIST_USER_ID = 7_654_322
SECOND_ANILIST_USER_NAME = "kenji"
HIDDEN_ANILIST_USER_NAME = "closed_door"  # exists, keeps its profile to itself: 404 for everyone else

ANILIST_CLIENT_ID = "31337"
ANILIST_CLIENT_SECRET = "simulated-anilist-client-secret"  # noqa: S105 - opens only the simulator

TRAKT_CLIENT_ID = "5173a7ed00000000000000000000000000000000000000000000000000c11e47"
TRAKT_CLIENT_SECRET = "simulated-trakt-client-secret"  # noqa: S105 - opens only the simulator
TRAKT_ACCOUNT = "hanako-trakt"
SECOND_TRAKT_ACCOUNT = "kenji-trakt"
TRAKT_ACCESS_TOKEN = "simulated-trakt-access-token-of-hanako"  # noqa: S105 - opens only the simulator
TRAKT_REFRESH_TOKEN = "simulated-trakt-refresh-token-of-hanako"  # noqa: S105 - opens only the simulator
SECOND_TRAKT_ACCESS_TOKEN = "simulated-trakt-access-token-of-kenji"  # noqa: S105 - opens only the simulator
SECOND_TRAKT_REFRESH_TOKEN = "simulated-trakt-refresh-token-of-kenji"  # noqa: S105 - opens only the simulator

TMDB_API_KEY = "0123456789abcdef0123456789abcdef"


def anilist_token(
    user_id: int, *, serial: str = "seed", issued: int = 1_767_225_600, expires: int = 2_082_758_400
) -> str:
    """A token in the shape of AniList's: a JWT with aud, sub, exp and no scopes. The signature is made up."""

    def part(value: object) -> str:
        raw = value if isinstance(value, bytes) else json.dumps(value, separators=(",", ":")).encode()
        return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()

    head = {"typ": "JWT", "alg": "RS256", "jti": serial}
    body = {
        "aud": ANILIST_CLIENT_ID,
        "jti": serial,
        "iat": issued,
        "nbf": issued,
        "exp": expires,
        "sub": str(user_id),
        "scopes": [],
    }
    return f"{part(head)}.{part(body)}.{part(b'signed by nobody')}"


ANILIST_ACCESS_TOKEN = anilist_token(ANILIST_USER_ID)
SECOND_ANILIST_ACCESS_TOKEN = anilist_token(SECOND_ANILIST_USER_ID)
