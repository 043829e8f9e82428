"""The OpenAPI 3.1 document, made of the shapes that validate."""

import inspect
import re
from collections.abc import Iterable, Mapping, Sequence
from http import HTTPStatus
from typing import Any

from msgspec.json import schema_components

from digest.web.api import problems
from digest.web.api.door import JSON, Endpoint
from digest.web.api.shapes import Problem

VERSION = "1"
"""Of the API. That of the service is nothing that strangers, who may read the document, should know."""

OF_ALL = (401, 422, 429, 500, 503)
"""How any request may be refused."""
OF_BODIES = (415,)
IN_PLAIN_TEXT = (400, 408, 413, 431)
"""What is refused before it is known to be for the API: no proper HTTP, too slow, too large."""

_CONVERTOR = re.compile(r"\{(\w+):\w+\}")


def document(endpoints: Sequence[Endpoint], base: str) -> dict[str, Any]:
    """Every endpoint below `base`, the address of the API, and every shape of what it takes and gives."""
    shapes = {shape for one in endpoints for shape in (one.asks, one.answers)} | {Problem}
    ordered = sorted(shapes, key=lambda shape: shape.__name__)
    _, components = schema_components(ordered, ref_template="#/components/schemas/{name}")
    paths: dict[str, dict[str, Any]] = {}
    for one in endpoints:
        operations = paths.setdefault(_CONVERTOR.sub(r"{\1}", one.path), {})
        operations[one.method.lower()] = _operation(one, components)
    parameters = {one.asks.__name__ for one in endpoints if one.method == "GET"}
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "The Economic Digest",
            "version": VERSION,
            "license": {"name": "MIT", "identifier": "MIT"},
        },
        "servers": [{"url": base}],
        "security": [{"token": []}],
        "paths": paths,
        "components": {
            "schemas": {name: schema for name, schema in components.items() if name not in parameters},
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
            "responses": {"Problem": _content("What is wrong, and what to do about it.", problems.MEDIA_TYPE, Problem)},
        },
    }


def _operation(one: Endpoint, components: Mapping[str, Any]) -> dict[str, Any]:
    refused = sorted({*OF_ALL, *one.problems, *(OF_BODIES if one.method == "POST" else ())})
    answered = _content(inspect.getdoc(one.answers) or "", JSON, one.answers)
    said: dict[str, Any] = {
        "operationId": one.name,
        "summary": one.summary,
        "responses": {
            "200": answered,
            **{str(status): {"$ref": "#/components/responses/Problem"} for status in refused},
            **{str(status): _plain(status) for status in IN_PLAIN_TEXT},
        },
    }
    if one.method == "POST":
        said["requestBody"] = {"required": True, "content": {JSON: {"schema": _reference(one.asks)}}}
    else:
        said["parameters"] = list(_parameters(one, components[one.asks.__name__]))
    return said


def _parameters(one: Endpoint, schema: Mapping[str, Any]) -> Iterable[dict[str, Any]]:
    for name, about in schema["properties"].items():
        in_path = f"{{{name}" in one.path
        yield {"name": name, "in": "path" if in_path else "query", "required": in_path, "schema": about}


def _content(description: str, media_type: str, shape: type) -> dict[str, Any]:
    return {"description": description, "content": {media_type: {"schema": _reference(shape)}}}


def _plain(status: int) -> dict[str, Any]:
    return {"description": HTTPStatus(status).phrase, "content": {"text/plain": {"schema": {"type": "string"}}}}


def _reference(shape: type) -> dict[str, str]:
    return {"$ref": f"#/components/schemas/{shape.__name__}"}
