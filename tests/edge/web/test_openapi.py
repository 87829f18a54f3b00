"""Whatever is asked that fits the OpenAPI document, or does not: never a fault of ours."""

from typing import Any, cast

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings

from tests.edge.web.parts import bearer, submit
from tests.guard import Guard
from tests.slices import rounds


def _swept(guard: Guard, examples: int) -> int:
    """Ask every operation so often, as a person with mail; how many were asked."""
    message_id = submit(guard)
    with bearer(guard) as alice:
        document = alice.get("/api/v1/openapi.json").json()
        base, headers = str(alice.base_url), dict(alice.headers)
    schema = schemathesis.openapi.from_dict(document)
    asked = 0
    for found in schema.get_all_operations():
        operation = cast("Any", found).ok()

        @given(case=operation.as_strategy())
        @settings(
            max_examples=examples,
            deadline=None,
            database=None,
            phases=(Phase.generate,),
            suppress_health_check=list(HealthCheck),
            derandomize=True,
        )
        def ask(case: "schemathesis.Case[Any]") -> None:
            if "id" in case.path_parameters and len(str(case.path_parameters["id"])) % 2:
                case.path_parameters["id"] = message_id
            answer = case.call(base_url=base, headers={"Authorization": headers["authorization"]})
            assert answer.status_code < 500, f"{case.method} {case.path}: {answer.status_code} {answer.text}"

        ask()
        asked += 1
    return asked


def test_every_operation_a_few_times(guard: Guard) -> None:
    assert _swept(guard, 4) >= 15


@pytest.mark.slow
@pytest.mark.timeout(1200)
def test_every_operation_many_times(guard: Guard) -> None:
    assert _swept(guard, rounds(300, slice_of=20)) >= 15
