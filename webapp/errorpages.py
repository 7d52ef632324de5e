"""Errors as pages, as fragments, and as JSON for scripts."""

from __future__ import annotations

from flask import Flask, jsonify, make_response, render_template, request
from flask.typing import ResponseReturnValue
from flask_wtf.csrf import CSRFError
from werkzeug.exceptions import HTTPException, InternalServerError

from webapp.auth import is_open_path

CODES = {400: "bad_request", 401: "unauthorized", 403: "forbidden", 404: "not_found", 405: "method_not_allowed", 409: "conflict", 413: "too_large", 415: "unsupported_media_type", 422: "invalid", 429: "too_many_requests", 500: "internal_error"}  # fmt: skip


def init_error_pages(app: Flask) -> None:
    app.register_error_handler(HTTPException, show)
    app.register_error_handler(CSRFError, show)


def show(error: HTTPException) -> ResponseReturnValue:
    """Flask logs what was no HTTPException before it comes here as a 500; the page never shows its text."""
    status = error.code or 500
    if error.response is not None or status < 400:
        return error
    text = None if isinstance(error, InternalServerError | CSRFError) else _own_text(error)
    if is_open_path(request.path):
        answer = jsonify(error=text or error.name, code=CODES.get(status, "error"))
        answer.status_code = status
    elif "HX-Request" in request.headers:
        answer = make_response(render_template("errors/_error.html", status=status, text=text), status)
    else:
        answer = make_response(render_template("errors/error.html", status=status, text=text), status)
    for name, value in error.get_headers():
        if name.lower() in ("allow", "retry-after"):
            answer.headers[name] = value
    return answer


def _own_text(error: HTTPException) -> str | None:
    """The sentence that our code gave to `abort`; werkzeug's own texts are not ours to show."""
    text = error.description
    return None if text == type(error).description else text
