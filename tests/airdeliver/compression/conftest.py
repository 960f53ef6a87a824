"""A task whose data is there but hardly used."""

import pytest

from airdeliver import Task
from airdeliver.data import load_dataset
from tests.airdeliver.compression.random_network import RandomNetwork


@pytest.fixture(scope="session")
def digits() -> Task:
    return Task(load_dataset("digits"), RandomNetwork())
