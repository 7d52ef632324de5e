"""Times as a person reads them: in their zone, with the zone named, as near words as they allow."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta, timezone, tzinfo
from functools import cache, lru_cache
from zoneinfo import ZoneInfo, available_timezones

from babel.dates import format_date, format_time
from flask import current_app, has_app_context

from webapp.here import reader, the_request
from webapp.i18n import gettext as _
from webapp.i18n import locale, ngettext, number
from webapp.models import utcnow

ZONE = "tsuzuki.zone"  # in the environment of a request
FAR = datetime(9999, 1, 1, tzinfo=UTC)  # "paused until told otherwise"


def zone_of(name: str | None) -> tzinfo:
    """The zone of an IANA name or of "+09:00"; the instance's when there is none or it is not known."""
    return _zone(name, current_app.config["TSUZUKI"].TZ if has_app_context() else "UTC")


@lru_cache(maxsize=1024)
def _zone(name: str | None, fallback: str) -> tzinfo:
    if name and (match := re.fullmatch(r"([+-])(\d{1,2}):?(\d{2})", name)):
        offset = timedelta(hours=int(match[2]), minutes=int(match[3]))
        return timezone(-offset if match[1] == "-" else offset)
    try:
        return ZoneInfo(name or fallback)
    except (KeyError, ValueError):
        return ZoneInfo(fallback)


@cache
def zones() -> frozenset[str]:
    """Every IANA name; looked up in the file system once."""
    return frozenset(available_timezones())


@cache
def zones_to_choose() -> tuple[str, ...]:
    """Those of places, such as Europe/Berlin, in order."""
    return tuple(sorted(name for name in zones() if "/" in name and not name.startswith(("Etc/", "posix/", "right/"))))


def is_zone(name: str) -> bool:
    return bool(re.fullmatch(r"[+-](0\d|1[0-4]):[0-5]\d", name)) or name in zones()


def person_zone() -> tzinfo:
    """The zone of the one who is signed in; looked up once for each request."""
    try:
        environ = the_request().environ
    except RuntimeError:
        return zone_of(None)
    zone: tzinfo | None = environ.get(ZONE)
    if zone is None:
        person = reader()
        zone = environ[ZONE] = zone_of(person.timezone if person.is_authenticated else None)
    return zone


def zone_name(moment: datetime | None = None) -> str:
    """How the person's zone is called at `moment`: CET, JST, UTC-3."""
    return _zone_name((moment or utcnow()).astimezone(person_zone()))


def _zone_name(local: datetime) -> str:
    name = local.tzname() or "UTC"
    if not name.isalpha():  # zones without letters of their own
        minutes = round((local.utcoffset() or timedelta()).total_seconds() / 60)
        hours, rest = divmod(abs(minutes), 60)
        name = f"UTC{'-' if minutes < 0 else '+'}{hours}" + (f":{rest:02d}" if rest else "")
    return name


def day_words(day: date) -> str:
    """today, yesterday, tomorrow, 12 Mar, 12 Mar 2023."""
    return _day_words(day, utcnow().astimezone(person_zone()).date())


def _day_words(day: date, today: date) -> str:
    away = day.toordinal() - today.toordinal()
    if away == 0:
        return _("today")
    if away == -1:
        return _("yesterday")
    if away == 1:
        return _("tomorrow")
    language = locale()
    pattern = "medium"
    if language == "en":
        pattern = "d MMM" if day.year == today.year else "d MMM y"
    return _date_words(day, pattern, language.replace("-", "_"))


@lru_cache(maxsize=4096)
def _date_words(day: date, pattern: str, language: str) -> str:
    return str(format_date(day, pattern, locale=language))


def _clock_words(local: datetime, *, seconds: bool = False) -> str:
    """14:02, 14:02:59; in other languages as these write it."""
    language = locale()
    if language == "en":
        return (
            f"{local.hour:02}:{local.minute:02}:{local.second:02}" if seconds else f"{local.hour:02}:{local.minute:02}"
        )
    return str(format_time(local.time(), "medium" if seconds else "short", locale=language.replace("-", "_")))


def partial_day(text: str | None) -> str:
    """A date of AniList, whole or not: "2012-04-08" -> 8 Apr 2012, "2012-04" -> 2012, "" -> ""."""
    try:
        return day_words(date.fromisoformat(text or ""))
    except ValueError:
        return (text or "")[:4]


def local_day(moment: datetime) -> date:
    return moment.astimezone(person_zone()).date()


def when(moment: datetime | None) -> str:
    """today, 14:02 CET. A dash where there is no moment."""
    if moment is None:
        return "–"
    zone = person_zone()
    return _when(moment.astimezone(zone), utcnow().astimezone(zone).date())


def _when(local: datetime, today: date) -> str:
    return _("%(day)s, %(time)s", day=_day_words(local.date(), today), time=_clock_and_zone(local))


def _clock_and_zone(local: datetime) -> str:
    return f"{_clock_words(local)} {_zone_name(local)}"


def clock(moment: datetime | None) -> str:
    """For "at" and "until": 14:02 CET, 14:02 CET tomorrow, 14:02 CET on 12 Mar."""
    if moment is None:
        return "–"
    if moment.year == FAR.year:
        return _("you say otherwise")
    zone = person_zone()
    local, today = moment.astimezone(zone), utcnow().astimezone(zone).date()
    time = _clock_and_zone(local)
    away = (local.date() - today).days
    if away == 0:
        return time
    if abs(away) == 1:
        return _("%(time)s %(day)s", time=time, day=_day_words(local.date(), today))
    return _("%(time)s on %(day)s", time=time, day=_day_words(local.date(), today))


def on(moment: datetime | None) -> str:
    """For the middle of a sentence: today, 14:02 CET; on 12 Mar, 14:02 CET."""
    if moment is None:
        return "–"
    zone = person_zone()
    local, today = moment.astimezone(zone), utcnow().astimezone(zone).date()
    words = _when(local, today)
    return words if abs((local.date() - today).days) <= 1 else _("on %(when)s", when=words)


def hours_minutes(moment: datetime | None, *, seconds: bool = False) -> str:
    if moment is None:
        return "–"
    return _clock_words(moment.astimezone(person_zone()), seconds=seconds)


def lasted(seconds: float) -> str:
    """41 seconds, 3 minutes, 3 h 46 min."""
    if seconds < 1:
        return _("less than a second")
    if seconds < 90:
        return ngettext("%(num)s second", "%(num)s seconds", round(seconds))
    minutes = round(seconds / 60)
    if minutes < 120:
        return ngettext("%(num)s minute", "%(num)s minutes", minutes)
    if minutes < 48 * 60:
        return _("%(hours)s h %(minutes)s min", hours=number(minutes // 60), minutes=minutes % 60)
    return ngettext("%(num)s day", "%(num)s days", minutes // 1440)


def ago(moment: datetime | None) -> str:
    """How long ago, in the words of `lasted`."""
    return "–" if moment is None else lasted(max(0.0, (utcnow() - moment).total_seconds()))


def machine(moment: datetime) -> str:
    """For `<time datetime>`."""
    return moment.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
