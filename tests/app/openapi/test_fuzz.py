"""The API under generated requests: never a server's error, and every answer as its description says.

``make test`` makes a few requests of each operation, ``make test-slow`` a hundred; ``FUZZ_EXAMPLES`` sets how many
``make fuzz`` makes, each time others.
"""

import os

import hypothesis
import pytest
import schemathesis
from hypothesis import strategies as st
from schemathesis.specs.openapi.checks import positive_data_acceptance, response_schema_conformance

from app.main import create_app
from app.settings import Settings

if chosen := os.environ.get("FUZZ_EXAMPLES"):
    EXAMPLES = [pytest.param(int(chosen), marks=pytest.mark.slow)]
else:
    EXAMPLES = [12, pytest.param(100, marks=pytest.mark.slow)]
# Which agreement thresholds, classes and fields there are depends on the dataset, so a request that the description
# allows may still be refused: with 400, in the one shape of errors, which is checked as any other answer.
NAMES = ("sample-digits", "sample-texts", "sample-sounds")


@pytest.fixture(scope="module")
def operations(sample_catalogue):
    """Label -> operation of the description that a running site gives of itself."""
    app = create_app(Settings(catalogue=sample_catalogue))
    schema = schemathesis.openapi.from_asgi("/api/openapi.json", app)
    found = [result.ok() for result in schema.get_all_operations()]
    return {operation.label: operation for operation in found}


def test_there_are_operations_to_try(operations):
    assert len(operations) > 15
    assert "POST /api/v1/datasets/{name}/labels" in operations


def try_out(operation, examples: int) -> int:
    """Make requests of one operation; how many. Raises what the first wrong answer is."""
    asked = 0

    @hypothesis.settings(
        max_examples=examples,
        derandomize="FUZZ_EXAMPLES" not in os.environ,
        database=None,
        suppress_health_check=list(hypothesis.HealthCheck),
    )
    @hypothesis.given(case=operation.as_strategy(), name=st.sampled_from((*NAMES, None)), index=st.integers(0, 170))
    def ask(case, name, index):
        # Made-up names and indices seldom meet anything: most requests go to datasets and examples that are there.
        if name is not None:
            for parameter, real in (("name", name), ("index", index), ("index_or_key", index)):
                if parameter in case.path_parameters:
                    case.path_parameters[parameter] = real
        nonlocal asked
        asked += 1
        # An answer kept to a few fields has no others, which is what its shape would ask for.
        kept = [response_schema_conformance] if "fields" in (case.query or {}) else []
        case.call_and_validate(excluded_checks=[positive_data_acceptance, *kept])

    ask()
    return asked


@pytest.mark.parametrize("examples", EXAMPLES)
def test_every_answer_is_as_described(operations, examples):
    failures = []
    for label, operation in operations.items():
        try:
            assert try_out(operation, examples) > 0
        except BaseExceptionGroup as group:
            failures += [f"{label}\n{one}" for one in group.exceptions]
        except Exception as error:
            failures.append(f"{label}\n{type(error).__name__}: {error}")
    assert not failures, "\n\n".join(failures)
