"""The description of the API: as JSON for tools, as a page for people. Both come from the code."""

from __future__ import annotations

from typing import Any, cast

from flask import Blueprint, Response, current_app, render_template
from flask_openapi3.openapi import OpenAPI

from webapp.api.fields import answer

blueprint = Blueprint("api_docs", __name__, url_prefix="/api")

METHODS = ("get", "post", "put", "delete")


def description() -> dict[str, Any]:
    """The OpenAPI 3.1 description of everything below /api, /cron and the health addresses."""
    spec: dict[str, Any] = cast("OpenAPI", current_app).api_doc
    return spec


@blueprint.get("/openapi.json")
def openapi() -> Response:
    return answer(description())


@blueprint.get("/docs")
def page() -> str:
    spec = description()
    operations = [
        {"path": path, "method": method.upper(), **_operation(item[method], spec)}
        for path, item in sorted(spec["paths"].items())
        for method in METHODS
        if method in item
    ]
    return render_template("api/docs.html", operations=operations)


def _operation(operation: dict[str, Any], spec: dict[str, Any]) -> dict[str, Any]:
    """What the page shows of one operation."""
    body = operation.get("requestBody", {}).get("content", {}).get("application/json", {}).get("schema", {})
    return {
        "id": operation["operationId"],
        "summary": operation.get("summary", ""),
        "description": operation.get("description", "").replace("<br/>", " ").strip(),
        "parameters": [
            {
                "name": parameter["name"],
                "type": _type(parameter.get("schema", {})),
                "required": parameter.get("required", False),
                "description": parameter.get("description", ""),
            }
            for parameter in operation.get("parameters", [])
        ],
        "body": _fields(body, spec),
        "answers": [
            {
                "status": status,
                "fields": _fields(response.get("content", {}).get("application/json", {}).get("schema", {}), spec),
            }
            for status, response in sorted(operation.get("responses", {}).items())
        ],
    }


def _fields(schema: dict[str, Any], spec: dict[str, Any]) -> list[dict[str, Any]]:
    """The fields of an object, one level deep; of a list, those of its rows."""
    schema = _resolved(schema, spec)
    if "anyOf" in schema:
        found = {field["name"]: field for part in schema["anyOf"] for field in _fields(part, spec)}
        return list(found.values())
    if schema.get("type") == "array":
        schema = _resolved(schema.get("items", {}), spec)
    required = schema.get("required", [])
    return [
        {
            "name": name,
            "type": _type(field),
            "required": name in required,
            "description": field.get("description", ""),
        }
        for name, field in schema.get("properties", {}).items()
    ]


def _resolved(schema: dict[str, Any], spec: dict[str, Any]) -> dict[str, Any]:
    reference = schema.get("$ref")
    if reference is None:
        return schema
    found: dict[str, Any] = spec["components"]["schemas"][reference.rsplit("/", 1)[-1]]
    return found


def _type(schema: dict[str, Any]) -> str:
    """integer, text or null, list of SpanRow, ..."""
    if "$ref" in schema:
        return str(schema["$ref"]).rsplit("/", 1)[-1]
    if "anyOf" in schema:
        return " or ".join(_type(part) for part in schema["anyOf"])
    if "enum" in schema:
        return " or ".join(str(value) for value in schema["enum"])
    if schema.get("type") == "array":
        return f"list of {_type(schema.get('items', {}))}"
    name = str(schema.get("type", ""))
    return "text" if name == "string" else name
