"""Import and export of corrections as files, as the page `/manual/file` does it."""

from __future__ import annotations

from typing import Literal

from flask import Response, make_response, request
from pydantic import Field

from jobs.mapping.correction_text import UnreadableText
from webapp import transfer
from webapp.api.fields import ApiError, Body, Command, Flag, Query, answer
from webapp.api.guard import api_blueprint, person

blueprint = api_blueprint("api_corrections")


class ExportQuery(Query):
    format: Literal["yaml", "json"] = "json"


@blueprint.get("/corrections", summary="Manual mappings, spans and overrides as a file")
def export(query: ExportQuery) -> Response:
    """The file that the import takes; its format is described in `jobs/mapping/correction_file.py`."""
    response = make_response(transfer.export(person(), query.format))
    response.headers["Content-Type"] = f"application/{query.format}; charset=utf-8"
    return response


class ImportQuery(Command):
    apply: Flag = Field(False, description="1: save; without it the answer says what would change")
    leave_out: Flag = Field(False, description="1: save the rest when some rows cannot be taken")


class RefusedBody(Body):
    line: int
    reason: str


class ImportBody(Body):
    applied: bool
    added: int
    changed: int
    same: int
    refused: list[RefusedBody]
    error: str | None = None
    code: str | None = None


@blueprint.post(
    "/corrections", summary="Import such a file, or look at what it would change", responses={200: ImportBody}
)
def import_file(query: ImportQuery) -> Response:
    """The body is the file itself, YAML or JSON, up to 2 MB. A bad file changes nothing."""
    content = request.get_data()
    try:
        report = transfer.look(person(), content)
        if query.apply and (query.leave_out or not report.refused):
            report = transfer.take(person(), content, leave_out=query.leave_out)
            return answer(_body(report, applied=True))
    except UnreadableText as error:
        where = f"Line {error.line}: " if error.line else ""
        raise ApiError(400, "bad_file", f"{where}{error}") from None
    body = _body(report, applied=False)
    if not query.apply:
        return answer(body)
    body.error, body.code = "Some rows cannot be taken; leaveOut=1 saves the rest.", "refused_rows"
    return answer(body, 400)


def _body(report: transfer.Report, *, applied: bool) -> ImportBody:
    return ImportBody(
        applied=applied,
        added=report.count("added"),
        changed=report.count("changed"),
        same=report.count("same"),
        refused=[RefusedBody(line=row.line, reason=row.reason) for row in report.refused],
    )
