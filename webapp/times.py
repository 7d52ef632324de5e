"""Times as a person reads them: in their zone, with the zone named, as near words as they allow."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta, timezone, tzinfo
from zoneinfo import ZoneInfo, available_timezones

from flask import current_app, has_app_context, has_request_context
from flask_babel import format_date, get_locale
from flask_login import current_user

from webapp.i18n import gettext as _
from webapp.models import utcnow

FAR = datetime(9999, 1, 1, tzinfo=UTC)  # "paused until told otherwise"


def zone_of(name: str | None) -> tzinfo:
    """The zone of an IANA name or of "+09:00"; the instance's when there is none or it is not known."""
    if name and (match := re.fullmatch(r"([+-])(\d{1,2}):?(\d{2})", name)):
        offset = timedelta(hours=int(match[2]), minutes=int(match[3]))
        return timezone(-offset if match[1] == "-" else offset)
    fallback = current_app.config["TSUZUKI"].TZ if has_app_context() else "UTC"
    try:
        return ZoneInfo(name or fallback)
    except (KeyError, ValueError):
        return ZoneInfo(fallback)


def is_zone(name: str) -> bool:
    return bool(re.fullmatch(r"[+-](0\d|1[0-4]):[0-5]\d", name)) or name in available_timezones()


def person_zone() -> tzinfo:
    """The zone of the one who is signed in."""
    if has_request_context() and current_user.is_authenticated:
        return zone_of(current_user.timezone)
    return zone_of(None)


def zone_name(moment: datetime | None = None) -> str:
    """How the person's zone is called at `moment`: CET, JST, UTC-3."""
    local = (moment or utcnow()).astimezone(person_zone())
    name = local.tzname() or "UTC"
    if name[0] in "+-":  # zones without letters of their own
        name = "UTC" + re.sub(r"^([+-])0?(\d+?)(?:00)?$", r"\1\2", name)
    return name


def day_words(day: date) -> str:
    """Today, Yesterday, Tomorrow, 12 Mar, 12 Mar 2023."""
    today = utcnow().astimezone(person_zone()).date()
    if day == today:
        return str(_("Today"))
    if day == today - timedelta(days=1):
        return str(_("Yesterday"))
    if day == today + timedelta(days=1):
        return str(_("Tomorrow"))
    language = getattr(get_locale(), "language", "en")
    pattern = None
    if language == "en":
        pattern = "d MMM" if day.year == today.year else "d MMM y"
    return str(format_date(day, pattern or "medium"))


def local_day(moment: datetime) -> date:
    return moment.astimezone(person_zone()).date()


def when(moment: datetime | None) -> str:
    """Today, 14:02 CET. A dash where there is no moment."""
    if moment is None:
        return "–"
    local = moment.astimezone(person_zone())
    return f"{day_words(local.date())}, {local:%H:%M} {zone_name(moment)}"


def clock(moment: datetime | None) -> str:
    """14:02 for today, else as `when` says it: "Waiting until 18:20"."""
    if moment is None:
        return "–"
    local = moment.astimezone(person_zone())
    if local.date() == utcnow().astimezone(person_zone()).date():
        return f"{local:%H:%M} {zone_name(moment)}"
    return when(moment)


def hours_minutes(moment: datetime | None, *, seconds: bool = False) -> str:
    if moment is None:
        return "–"
    local = moment.astimezone(person_zone())
    return f"{local:%H:%M:%S}" if seconds else f"{local:%H:%M}"


def lasted(seconds: float) -> str:
    """41 seconds, 3 minutes, 3 h 46 min."""
    if seconds < 1:
        return str(_("less than a second"))
    if seconds < 90:
        return str(_("%(count)s seconds", count=round(seconds)))
    minutes = round(seconds / 60)
    if minutes < 120:
        return str(_("%(count)s minutes", count=minutes))
    if minutes < 48 * 60:
        return str(_("%(hours)s h %(minutes)s min", hours=minutes // 60, minutes=minutes % 60))
    return str(_("%(count)s days", count=minutes // 1440))


def ago(moment: datetime | None) -> str:
    """How long ago, in the words of `lasted`."""
    return "–" if moment is None else lasted(max(0.0, (utcnow() - moment).total_seconds()))


def machine(moment: datetime) -> str:
    """For `<time datetime>`."""
    return moment.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
