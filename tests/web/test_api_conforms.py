"""Whatever is sent to the API that the document allows, or does not, it answers as the document says, and never with a fault."""

import dataclasses
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import schemathesis
import uvicorn
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from schemathesis.checks import not_a_server_error
from schemathesis.core.result import Ok
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    negative_data_rejection,
    response_schema_conformance,
    status_code_conformance,
)
from sqlalchemy import Engine

from digest.store import deliveries
from digest.store import engine as engines
from tests.conftest import NOW
from tests.web.api import BASE, calling, keep
from tests.web.conftest import edition

EXAMPLES = 200
CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
    negative_data_rejection,
]


def test_whatever_is_asked_the_answer_is_as_the_document_says(
    listening: tuple[uvicorn.Server, int], tmp_path: Path, sqlite_engine: Engine
) -> None:
    """Half of the examples are as the document allows and half break it; the seed makes them the same each time."""
    caller = calling(listening, tmp_path, sqlite_engine)
    caller.service.reader()
    (number,) = keep(sqlite_engine, edition(date(2026, 2, 10)))
    with engines.write(sqlite_engine) as connection:
        deliveries.freeze(connection, dataclasses.replace(edition(date(2026, 2, 10)), id=number), NOW)
    schema = schemathesis.openapi.from_url(f"{caller.service.config.site.base_url}{BASE}/openapi.json")
    modes = list(schemathesis.GenerationMode)
    cases = st.one_of(
        *(
            one.ok().as_strategy(generation_mode=mode)
            for one in schema.get_all_operations()
            if isinstance(one, Ok)
            for mode in modes
        )
    )
    seen: set[int] = set()

    @settings(
        max_examples=EXAMPLES, derandomize=True, deadline=None, database=None, suppress_health_check=list(HealthCheck)
    )
    @given(cases)
    def asks(case: schemathesis.Case[Any]) -> None:
        # Confirmations have a budget by the hour.
        caller.service.now += timedelta(minutes=2)
        answer = case.call(headers=dict(caller.headers))
        seen.add(answer.status_code)
        case.validate_response(answer, checks=CHECKS)

    asks()

    assert {200, 404, 422} <= seen
