"""A spectrum of the digits, trained for a moment, once."""

from collections.abc import Mapping
from dataclasses import replace
from typing import NamedTuple

import pytest

from airdeliver import Task
from airdeliver.recipe import Recipe
from airdeliver.schemes import AirNetSpectrum
from airdeliver.spectrum import SpectrumPackage, SpectrumTraining
from airdeliver.training import Trained, Training

USES = 8701
"""What the whole network costs sent once."""


class Known(NamedTuple):
    scheme: AirNetSpectrum
    task: Task
    training: SpectrumTraining
    trained: Mapping[Training, Trained]
    package: SpectrumPackage


@pytest.fixture(scope="session")
def known(task: Task, clean: dict[Training, Trained]) -> Known:
    """The scheme, its training, and what came out of it."""
    task = replace(task, fine_tuning=Recipe(epochs=12, batch_size=64, learning_rate=0.05))
    scheme = AirNetSpectrum(table_realizations=1)
    (training,) = scheme.trainings(task, USES)
    assert isinstance(training, SpectrumTraining)
    trained = {**clean, training: training.run(task, clean)}
    package = scheme.pack(task, trained, USES)
    assert isinstance(package, SpectrumPackage)
    return Known(scheme, task, training, trained, package)
