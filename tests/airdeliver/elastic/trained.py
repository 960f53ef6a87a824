"""A spectrum of the digits, trained for a moment, once for all tests that look at it."""

from collections.abc import Mapping
from dataclasses import replace
from functools import cache
from typing import NamedTuple

from airdeliver import Problem
from airdeliver.recipe import Recipe
from airdeliver.schemes import AirNetSpectrum
from airdeliver.spectrum import SpectrumPackage
from airdeliver.training import Trained, Training
from airdeliver.training.methods import Joint

USES = 8701
"""What the whole network costs sent once."""


class Known(NamedTuple):
    scheme: AirNetSpectrum
    problem: Problem
    training: Training
    trained: Mapping[Training, Trained]
    package: SpectrumPackage


@cache
def known_of(problem: Problem, clean: tuple[tuple[Training, Trained], ...]) -> Known:
    """The scheme, its training, and what came out of it.

    Args:
        problem: digits.
        clean: its clean training and what that made.
    """
    problem = replace(problem, fine_tuning=Recipe(epochs=4, batch_size=64, learning_rate=0.05))
    scheme = AirNetSpectrum(table_realizations=1, table_images=100)
    (training,) = scheme.trainings(problem, USES)
    assert isinstance(training.method, Joint)
    trained = {**dict(clean), training: training.run(problem.task, dict(clean))}
    package = scheme.pack(problem, trained, USES)
    assert isinstance(package, SpectrumPackage)
    return Known(scheme, problem, training, trained, package)
