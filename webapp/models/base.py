"""Column types that every table shares."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any

from sqlalchemy import JSON, BigInteger, DateTime, Dialect, Integer, String, TypeDecorator
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import mapped_column


def utcnow() -> datetime:
    """The present moment, aware, in UTC."""
    return datetime.now(UTC)


class UtcDateTime(TypeDecorator[datetime]):
    """Aware UTC in Python; `timestamptz` in PostgreSQL, naive UTC text in SQLite. A naive value is refused."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a time without a zone cannot be stored")
        value = value.astimezone(UTC)
        return value.replace(tzinfo=None) if dialect.name == "sqlite" else value

    def process_result_value(self, value: datetime | None, _dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


Json = JSON().with_variant(JSONB(), "postgresql")
JsonOrNull = JSON(none_as_null=True).with_variant(JSONB(none_as_null=True), "postgresql")  # None is no value at all
BigInt = BigInteger().with_variant(Integer(), "sqlite")  # SQLite counts rowids only on INTEGER

pk = Annotated[int, mapped_column(BigInt, primary_key=True, autoincrement=True)]
moment = Annotated[datetime, mapped_column(UtcDateTime())]
now = Annotated[datetime, mapped_column(UtcDateTime(), default=utcnow)]
touched = Annotated[datetime, mapped_column(UtcDateTime(), default=utcnow, onupdate=utcnow)]
bigint = Annotated[int, mapped_column(BigInteger())]
short = Annotated[str, mapped_column(String(64))]
text = Annotated[str, mapped_column(String())]
json = Annotated[Any, mapped_column(Json)]
