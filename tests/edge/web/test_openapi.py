"""Whatever is asked that fits the OpenAPI document, or does not: never a fault of ours."""

from collections.abc import Iterator
from typing import Any, cast

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings

from tests.edge.web import parts
from tests.edge.web.parts import ADMIN_LOGIN, ADMIN_PASSWORD, bearer, submit
from tests.guard import LOGIN, PASSWORD, Guard
from tests.slices import rounds

PEOPLE = ((LOGIN, PASSWORD, "act"), (ADMIN_LOGIN, ADMIN_PASSWORD, "admin"))


# Of its own: whatever can be asked for changes what people have chosen, too.
@pytest.fixture(scope="module")
def guard(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Guard]:
    """Running, with alice, bob and root."""
    made = parts.configured(tmp_path_factory.mktemp("web"))
    made.start()
    yield made
    assert made.stop() == 0, made.log()


def _swept(guard: Guard, examples: int, *who: str) -> int:
    """Ask every operation so often, with this login, password and scope; how many were asked."""
    message_id = submit(guard)
    login, password, scope = who
    with bearer(guard, login, password, scope=scope) as program:
        document = program.get("/api/v1/openapi.json").json()
        base, headers = str(program.base_url), dict(program.headers)
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
            if isinstance(case.body, dict):
                # Passwords that are guessed are answered slower and slower (tests/flow/test_guessing.py).
                case.body.pop("login", None)
            answer = case.call(base_url=base, headers={"Authorization": headers["authorization"]})
            assert answer.status_code < 500, f"{case.method} {case.path}: {answer.status_code} {answer.text}"

        ask()
        asked += 1
    return asked


def test_every_operation_a_few_times(guard: Guard) -> None:
    assert _swept(guard, 4, *PEOPLE[0]) >= 15


@pytest.mark.slow
@pytest.mark.timeout(1200)
@pytest.mark.parametrize("who", PEOPLE, ids=lambda who: who[0])
def test_every_operation_many_times(guard: Guard, who: tuple[str, str, str]) -> None:
    assert _swept(guard, rounds(300, slice_of=20), *who) >= 15
    assert "web_fault" not in guard.log()
