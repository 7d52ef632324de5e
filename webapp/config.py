"""Every setting of Tsuzuki, read from the environment once and failing loudly.

`SETTINGS` is the one list of names: the README table and `.env.example` are compared with it by a test. A name
that is marked as a secret may also be given as `NAME_FILE`, the path of a file that holds the value.
"""

from __future__ import annotations

import ipaddress
import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

ROOT = Path(__file__).resolve().parent.parent


class ConfigError(ValueError):
    """A setting that cannot be used; the message names it and says what it takes."""


def _text(value: str) -> str:
    return value


def _integer(low: int, high: int) -> Callable[[str], int]:
    def parse(value: str) -> int:
        try:
            number = int(value)
        except ValueError:
            raise ConfigError(f"takes a whole number, not {value!r}") from None
        if not low <= number <= high:
            raise ConfigError(f"takes a number from {low} to {high}, not {number}")
        return number

    return parse


def _seconds(low: float, high: float) -> Callable[[str], float]:
    def parse(value: str) -> float:
        try:
            number = float(value)
        except ValueError:
            raise ConfigError(f"takes a number of seconds, not {value!r}") from None
        if not low <= number <= high:
            raise ConfigError(f"takes a number from {low:g} to {high:g}, not {number:g}")
        return number

    return parse


def _url(value: str) -> str:
    if not re.fullmatch(r"https?://[^\s/]+\S*", value):
        raise ConfigError(f"takes an address that starts with http:// or https://, not {value!r}")
    return value.rstrip("/")


def _redis_url(value: str) -> str:
    if not re.match(r"(rediss?|unix)://", value):
        raise ConfigError("takes a redis://, rediss:// or unix:// address")
    return value


def _database_url(value: str) -> str:
    """`postgres://` and `postgresql://` become the psycopg 3 dialect; SQLite stays as it is."""
    for prefix in ("postgres://", "postgresql://"):
        if value.startswith(prefix):
            return "postgresql+psycopg://" + value.removeprefix(prefix)
    if not re.match(r"(sqlite|postgresql\+psycopg)://", value):
        raise ConfigError("takes a postgresql:// or sqlite:// address")
    return value


def _root_path(value: str) -> str:
    if not value.startswith("/"):
        raise ConfigError("takes a path that starts with /")
    return value.rstrip("/") or "/"


def _zone(value: str) -> str:
    try:
        ZoneInfo(value)
    except (ZoneInfoNotFoundError, ValueError):
        raise ConfigError(f"takes the name of a time zone such as Europe/Berlin, not {value!r}") from None
    return value


def _one_of(*allowed: str) -> Callable[[str], str]:
    def parse(value: str) -> str:
        if value.lower() not in allowed:
            raise ConfigError(f"takes one of {', '.join(allowed)}, not {value!r}")
        return value.lower()

    return parse


def _switch(value: str) -> bool:
    if value.lower() not in ("0", "1", "false", "true", "no", "yes"):
        raise ConfigError(f"takes 1 or 0, not {value!r}")
    return value.lower() in ("1", "true", "yes")


def _is_loopback(url: str) -> bool:
    host = urlsplit(url).hostname or ""
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _networks(value: str) -> tuple[str, ...]:
    names = tuple(part.strip() for part in value.split(",") if part.strip())
    for name in names:
        try:
            ipaddress.ip_network(name, strict=False)
        except ValueError:
            raise ConfigError(f"takes addresses or networks with commas between, not {name!r}") from None
    return names


def interval_seconds(value: str) -> int:
    """`15m`, `1h`, `6h`, `1d` -> seconds; `off` and the empty string -> 0."""
    if value.strip().lower() in ("", "off", "0"):
        return 0
    match = re.fullmatch(r"(\d{1,4})\s*([mhd])", value.strip().lower())
    if not match:
        raise ConfigError(f"takes an interval such as 15m, 1h or 6h, or off, not {value!r}")
    seconds = int(match[1]) * {"m": 60, "h": 3600, "d": 86400}[match[2]]
    if not 900 <= seconds <= 7 * 86400:
        raise ConfigError("takes an interval from 15m to 7d")
    return seconds


@dataclass(frozen=True)
class Setting:
    """One environment variable: how it is parsed, its default as text, and whether `NAME_FILE` works."""

    name: str
    parse: Callable[[str], Any]
    default: str | None
    doc: str
    secret: bool = False


SETTINGS: tuple[Setting, ...] = (
    Setting("DATA_DIR", _text, "./data", "Folder of the SQLite file, generated secrets and the embedded Redis; one running Tsuzuki per folder"),
    Setting("DATABASE_URL", _database_url, None, "SQLite in DATA_DIR unless set; postgresql:// or postgres:// (psycopg 3)", secret=True),
    Setting("REDIS_URL", _redis_url, None, "Redis 6.2 or later, or Valkey; unset: a private server that the app starts itself", secret=True),
    Setting("HOST", _text, "127.0.0.1", "Address to listen on; 0.0.0.0 in the container"),
    Setting("PORT", _integer(1, 65535), "8000", "Port to listen on"),
    Setting("PUBLIC_URL", _url, None, "The address people open; derived from HOST and PORT unless set; https for browser sign-in"),
    Setting("APPLICATION_ROOT", _root_path, "/", "Path below which the app is served, such as /tsuzuki"),
    Setting("TRUST_PROXY", _integer(0, 5), "0", "Number of reverse proxies in front"),
    Setting("TRUST_PROXY_FROM", _networks, "", "Addresses or networks of these proxies, with commas between"),
    Setting("WORKERS", _integer(1, 16), "1", "Sync workers; one for previews, one for look-ups and the tick come on top"),
    Setting("WEB_THREADS", _integer(2, 64), "8", "Threads of the web server"),
    Setting("SECRET_KEY", _text, None, "Sessions and token encryption derive from it; generated once into DATA_DIR unless set", secret=True),
    Setting("SECRET_KEY_FALLBACKS", _text, "", "Earlier keys, with commas between, that may still decrypt", secret=True),
    Setting("ADMIN_USERNAME", _text, None, "Name of the first account, created at the first start and ignored later"),
    Setting("ADMIN_PASSWORD", _text, None, "Password of the first account", secret=True),
    Setting("API_TOKEN", _text, None, "A fixed bearer token of the first account for the JSON API", secret=True),
    Setting("CRON_SECRET", _text, None, "Token that /cron needs; generated and shown on the settings page unless set", secret=True),
    Setting("CRON_MIN_HOURS", _seconds(0, 168), "6", "Hours between two checks that /cron starts"),
    Setting("SCHEDULE", interval_seconds, "off", "Checks from inside: 15m, 1h, 6h, ...; 6h in the container"),
    Setting("CACHE_MAX_AGE_HOURS", _seconds(1, 720), "24", "Age at which a mapping cache refreshes itself"),
    Setting("ANILIST_USERNAME", _text, None, "A public list needs no token: the name is enough for reading"),
    Setting("ANILIST_CLIENT_ID", _text, None, "AniList app, for signing in"),
    Setting("ANILIST_CLIENT_SECRET", _text, None, "AniList app, for signing in", secret=True),
    Setting("ANILIST_ACCESS_TOKEN", _text, None, "Seeds the AniList connection once", secret=True),
    Setting("ANILIST_API_URL", _url, "https://graphql.anilist.co", "AniList's GraphQL address"),
    Setting("ANILIST_AUTH_URL", _url, "https://anilist.co/api/v2/oauth", "/authorize and /token are appended"),
    Setting("TRAKT_CLIENT_ID", _text, None, "Trakt app"),
    Setting("TRAKT_CLIENT_SECRET", _text, None, "Trakt app; may be empty", secret=True),
    Setting("TRAKT_ACCESS_TOKEN", _text, None, "Seeds the Trakt connection once", secret=True),
    Setting("TRAKT_REFRESH_TOKEN", _text, None, "Seeds the Trakt connection once", secret=True),
    Setting("TRAKT_API_URL", _url, "https://api.trakt.tv", "Trakt's API"),
    Setting("TRAKT_AUTH_URL", _url, "https://auth.trakt.tv", "/oauth/... is appended"),
    Setting("TRAKT_BATCH_SIZE", _integer(1, 1000), None, "Plays per POST; adaptive unless set"),
    Setting("TRAKT_SETTLE_SECONDS", _seconds(0, 3600), "60", "How long Trakt's reads may lag its writes"),
    Setting("HTTP_READ_SECONDS", _seconds(0.2, 600), "60", "Total deadline of a reading request"),
    Setting("HTTP_WRITE_SECONDS", _seconds(0.2, 600), "120", "Total deadline of a writing request"),
    Setting("HEARTBEAT_SECONDS", _seconds(0.1, 60), "10", "How often a running job says that it lives"),
    Setting("TAKEOVER_SECONDS", _seconds(0.5, 600), "45", "Age of a heartbeat at which a run is taken over"),
    Setting("TICK_SECONDS", _seconds(0.2, 300), "20", "How often the tick looks for work"),
    Setting("TMDB_API_KEY", _text, None, "Optional: a v3 key or a v4 token, told apart by shape", secret=True),
    Setting("TMDB_API_URL", _url, "https://api.themoviedb.org/3", "TMDB's API"),
    Setting("OTAKU_URL", _url, "https://github.com/Goldenfreddy0703/Otaku-Mappings/raw/refs/heads/main/anime_mappings.db", "Otaku mappings (SQLite)"),
    Setting("FRIBBS_URL", _url, "https://raw.githubusercontent.com/Fribb/anime-lists/master/anime-list-full.json", "Fribbs list (JSON)"),
    Setting("ANIME_LISTS_URL", _url, "https://raw.githubusercontent.com/Anime-Lists/anime-lists/master/anime-list-master.xml", "Anime-Lists (XML)"),
    Setting("SYNC_MAX_RETRIES", _integer(0, 10), "5", "Retries of a reading request: 1, 2, 4, 8, 16 s unless the service says otherwise"),
    Setting("TZ", _zone, "UTC", "Fallback zone; every account has its own"),
    Setting("LOG_LEVEL", _one_of("debug", "info", "warning", "error"), "info", "debug, info, warning or error"),
    Setting("LOG_FORMAT", _one_of("text", "json"), "text", "text or json"),
    Setting("DEMO", _switch, "0", "Set by ./run demo only: signs every visitor in; refused unless the services are the built-in simulator"),
)  # fmt: skip


@dataclass(frozen=True)
class Config:
    """Parsed settings by name: `config.PORT` is an int, a missing optional one is None."""

    values: Mapping[str, Any] = field(repr=False)

    def __getattr__(self, name: str) -> Any:
        try:
            return self.__dict__["values"][name]
        except KeyError:
            raise AttributeError(name) from None

    @property
    def data_dir(self) -> Path:
        """Absolute folder; a relative `DATA_DIR` counts from the checkout."""
        return (ROOT / Path(self.DATA_DIR).expanduser()).resolve()

    @property
    def database_url(self) -> str:
        return self.DATABASE_URL or f"sqlite:///{self.data_dir / 'tsuzuki.db'}"

    @property
    def public_url(self) -> str:
        """Without a trailing slash, with `APPLICATION_ROOT`; what OAuth return addresses start with."""
        if self.PUBLIC_URL:
            return str(self.PUBLIC_URL)
        host = "127.0.0.1" if self.HOST in ("0.0.0.0", "::", "") else self.HOST  # noqa: S104 - compared, not bound
        root = "" if self.APPLICATION_ROOT == "/" else self.APPLICATION_ROOT
        return f"http://{f'[{host}]' if ':' in host else host}:{self.PORT}{root}"

    def replace(self, **values: Any) -> Config:
        """A copy with some parsed values changed, for tests."""
        return Config({**self.values, **values})


def _raw(setting: Setting, environ: Mapping[str, str]) -> str | None:
    value = environ.get(setting.name)
    if setting.secret and not value and (path := environ.get(f"{setting.name}_FILE")):
        try:
            value = Path(path).read_text(encoding="utf-8").strip()
        except OSError as error:
            raise ConfigError(f"{setting.name}_FILE: {path} could not be read: {error.strerror}") from None
    return value if value not in (None, "") else None


def load(environ: Mapping[str, str] | None = None) -> Config:
    """Read every setting from `environ` (the process's by default). Raises `ConfigError` naming the bad one."""
    environ = os.environ if environ is None else environ
    values: dict[str, Any] = {}
    for setting in SETTINGS:
        raw = _raw(setting, environ)
        raw = setting.default if raw is None else raw
        try:
            values[setting.name] = None if raw is None else setting.parse(raw)
        except ConfigError as error:
            raise ConfigError(f"{setting.name} {error}") from None
    if values["TRUST_PROXY"] and not values["TRUST_PROXY_FROM"]:
        raise ConfigError("TRUST_PROXY needs TRUST_PROXY_FROM: the addresses of the proxies in front")
    if values["TAKEOVER_SECONDS"] < 2 * values["HEARTBEAT_SECONDS"]:
        raise ConfigError("TAKEOVER_SECONDS must be at least twice HEARTBEAT_SECONDS, or living runs are taken over")
    if values["DEMO"] and not all(_is_loopback(values[name]) for name in ("ANILIST_API_URL", "TRAKT_API_URL")):
        raise ConfigError(
            "DEMO works with the built-in simulator only: ANILIST_API_URL and TRAKT_API_URL are elsewhere"
        )
    return Config(values)
