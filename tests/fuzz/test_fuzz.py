"""No exception but the documented ones, and no wrong number in silence: a part of the run here, all of it as slow."""

import resource
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.fuzz.kinds import KINDS, faults
from tests.fuzz.trial import Case, Fault, fault_of

MEMORY = 12 << 30


@pytest.fixture
def bounded() -> Iterator[None]:
    """What asks for more memory than there is fails, instead of the machine."""
    before = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, before[1]))
    yield
    resource.setrlimit(resource.RLIMIT_AS, before)


@pytest.mark.usefixtures("unchecked", "bounded")
@pytest.mark.parametrize("kind", KINDS)
def test_a_part_of_the_trials(kind):
    assert [fault for _, fault in faults(kind, range(KINDS[kind].slice))] == []


@pytest.mark.slow
@pytest.mark.usefixtures("unchecked", "bounded")
@pytest.mark.parametrize("kind", KINDS)
def test_all_trials(kind):
    assert [fault for _, fault in faults(kind, range(KINDS[kind].trials))] == []


def test_there_are_ten_thousand_trials():
    assert sum(kind.trials for kind in KINDS.values()) == 10_000


def test_a_trial_says_what_is_wrong():
    def raising(error: BaseException) -> Case:
        def run() -> None:
            raise error

        return Case("a trial", run, (ValueError,))

    assert "is not documented: KeyError" in str(fault_of(raising(KeyError("x"))))
    assert "is not raised by us: ValueError" in str(fault_of(raising(ValueError("some library's words"))))
    assert "a wrong number" in str(fault_of(raising(Fault("a wrong number"))))
    assert fault_of(Case("nothing", lambda: None, ())) is None


def test_a_trial_is_always_the_same(tmp_path: Path):
    for kind in ("models", "evaluate", "recordings"):
        first, second = (KINDS[kind].case(7, tmp_path).words for _ in range(2))
        assert first.split(" at 0x")[0] == second.split(" at 0x")[0]
