"""What the endpoints share: types of values, forms of answers, errors."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any, Generic, TypeVar
from urllib.parse import urlencode

from flask import Response, jsonify, request, url_for
from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError
from pydantic.alias_generators import to_camel
from pydantic_core import PydanticCustomError

MAX_ID = 2**53
MAX_LIMIT = 500

T = TypeVar("T")


class ApiError(Exception):
    """A refusal with its HTTP status, a code for scripts and a sentence for people; `retry_after` in seconds."""

    def __init__(self, status: int, code: str, message: str, *, retry_after: int | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.retry_after = retry_after


def _no_control_characters(value: str) -> str:
    if any(ord(letter) < 32 for letter in value):
        raise ValueError("holds characters that cannot be searched for")
    return value


def _clamp(value: Any) -> Any:
    """50 when it is not given; what is above or below 1..500 becomes the nearest of them."""
    try:
        return min(max(int(value), 1), MAX_LIMIT)
    except (TypeError, ValueError):
        return value


def _no_truth_value(value: Any) -> Any:
    if isinstance(value, bool):  # true would count as 1
        raise PydanticCustomError("int_type", "Input should be a valid integer")
    return value


# The bounds stand first: so they are in the description.
Id = Annotated[int, Field(ge=1, le=MAX_ID), BeforeValidator(_no_truth_value)]  # an id of an outside service
Episode = Annotated[int, Field(ge=1, le=99_999), BeforeValidator(_no_truth_value)]
Season = Annotated[int, Field(ge=0, le=9_999), BeforeValidator(_no_truth_value)]
Flag = Annotated[bool, Field(description="1 or 0")]
Search = Annotated[str, Field(max_length=200), AfterValidator(_no_control_characters)]
Limit = Annotated[int, BeforeValidator(_clamp), Field(description="1 to 500; what is outside becomes the nearest")]
Offset = Annotated[int, Field(ge=0, le=10_000_000)]


class Body(BaseModel):
    """An answer, or a body that is sent: field names in camelCase outside, unknown fields refused inside."""

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True, extra="forbid")


class Query(BaseModel):
    """Query parameters of something that reads: unknown ones are passed over."""

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True, extra="ignore")


class Command(BaseModel):
    """Query parameters of something that acts: an unknown one is an error, since it may be a mistyped safeguard."""

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True, extra="forbid")

    wait: int | None = Field(None, ge=0, le=3600, description="Seconds to wait for the result; 25 by default")


class ErrorBody(Body):
    """Every answer from 400 on."""

    error: str
    code: str


class Page(Body, Generic[T]):
    """A list: `count` rows there are in all, `next` is the address of the rest, or null."""

    items: list[T]
    count: int
    next: str | None


class ListQuery(Query):
    limit: Limit = 50
    offset: Offset = 0


def answer(body: Any, status: int = 200) -> Response:
    """A model, or a list of models, as JSON with the names that scripts know."""
    response = jsonify(_plain(body))
    response.status_code = status
    return response


def _plain(body: Any) -> Any:
    if isinstance(body, BaseModel):
        return body.model_dump(mode="json", by_alias=True)
    if isinstance(body, list):
        return [_plain(part) for part in body]
    return body


def iso(moment: datetime | None) -> str | None:
    """ "2026-11-21T01:20:42Z"."""
    return None if moment is None else moment.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def next_address(count: int, offset: int, limit: int) -> str | None:
    """The address of the page after this one, with the same other parameters; None when this is the last."""
    if offset + limit >= count:
        return None
    given = {name: value for name, value in request.args.items() if name not in ("offset", "limit")}
    return f"{request.script_root}{request.path}?{urlencode({**given, 'limit': limit, 'offset': offset + limit})}"


def run_address(run_id: int) -> str:
    """Where a run can be asked for."""
    return url_for("api_runs.one_run", id=run_id)


def refused(error: ApiError) -> Response:
    response = answer(ErrorBody(error=str(error), code=error.code), error.status)
    if error.retry_after is not None:
        response.headers["Retry-After"] = str(error.retry_after)
    return response


def invalid(error: ValidationError) -> Response:
    """What pydantic did not take, as one sentence with the name of the first field."""
    first = error.errors(include_url=False, include_input=False, include_context=False)[0]
    name = ".".join(str(part) for part in first["loc"])
    code = "bad_parameter"
    if not name:
        sentence, code = "The body must be a JSON object, sent with Content-Type: application/json.", "bad_body"
    elif first["type"] == "extra_forbidden":
        sentence, code = f"{name} is not known here.", "unknown_parameter"
    elif first["type"] == "missing":
        sentence, code = f"{name} is missing.", "missing_parameter"
    else:
        text = first["msg"].removeprefix("Value error, ")
        sentence = f"{name}: {text[0].lower()}{text[1:]}."
    return answer(ErrorBody(error=sentence, code=code), 400)
