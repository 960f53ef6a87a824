"""A spectrum of the digits, trained for a moment, once."""

import pytest

from airdeliver import Problem
from airdeliver.training import Trained, Training
from tests.airdeliver.elastic.trained import Known, known_of


@pytest.fixture(scope="session")
def known(problem: Problem, clean: dict[Training, Trained]) -> Known:
    """The scheme, its training, and what came out of it."""
    return known_of(problem, tuple(clean.items()))
