"""A caller of the API, who knows a token and holds each answer against the document."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import jsonschema_rs
import uvicorn
from sqlalchemy import Engine

from digest.store import editions
from digest.store import engine as engines
from tests.web.conftest import Answer, Service, configuration, serve

BASE = "/api/v1"
TOKENS = ("the newest api token", "an older api token")


@dataclass(frozen=True)
class Caller:
    """Asks with a token."""

    service: Service
    document: Mapping[str, Any]
    headers: Mapping[str, str] = field(default_factory=lambda: {"Authorization": f"Bearer {TOKENS[0]}"})

    def get(self, path: str, shape: str, status: int = 200) -> Any:
        """What a GET answers, which has to be of this shape."""
        return self._of_shape(self.ask("GET", path), shape, status)

    def post(self, path: str, shape: str, status: int = 200, **said: Any) -> Any:
        """What a POST answers, which has to be of this shape."""
        return self._of_shape(self.ask("POST", path, json.dumps(said).encode()), shape, status)

    def ask(self, method: str, path: str, body: bytes | None = None, **headers: str) -> Answer:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return self.service.ask(
            method, f"{BASE}{path}", body, {"Content-Type": "application/json", **self.headers, **named}
        )

    def _of_shape(self, answer: Answer, shape: str, status: int) -> Any:
        assert answer.status == status, answer.text
        kind = "application/problem+json" if shape == "Problem" else "application/json"
        assert (answer.headers["content-type"], answer.headers["cache-control"]) == (kind, "no-store")
        told = json.loads(answer.text)
        schema = {"$ref": f"#/components/schemas/{shape}", "components": self.document["components"]}
        jsonschema_rs.validate(schema, told)
        return told


def calling(listening: tuple[uvicorn.Server, int], home: Path, engine: Engine) -> Caller:
    """A service with an API, and one who uses it."""
    plain = configuration(home)
    site = replace(plain.site, base_url=f"http://127.0.0.1:{listening[1]}")
    service = serve(listening, replace(plain, site=site, api_tokens=TOKENS), engine)
    return Caller(service, json.loads(service.get(f"{BASE}/openapi.json").text))


def keep(engine: Engine, *made: Any) -> list[int]:
    """Store editions; their numbers."""
    with engines.write(engine) as connection:
        return [kept.id for one in made if (kept := editions.insert(connection, one))]
