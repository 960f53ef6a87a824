"""A task whose data is there but hardly used."""

import pytest

from airdeliver.data import load_dataset
from airdeliver.task import Classification, Task


@pytest.fixture(scope="session")
def digits() -> Task:
    return Classification(load_dataset("digits"))
