"""Does a scheme keep its contract, as far as can be told before anything is trained?"""

from collections.abc import Iterator

from airdeliver.normalisation import Normalisation
from airdeliver.problem import Problem
from airdeliver.schemes import Scheme
from airdeliver.schemes.answers import about_of, misfit_of, served_by, trainings_of


def examine_scheme(scheme: Scheme, problem: Problem, symbols: int) -> Iterator[str]:
    """One line for each fault of `about`, `misfit`, `serves`, `normalisation` and `trainings`.

    Args:
        scheme: what is examined.
        problem: that it is given.
        symbols: complex symbols that fit.
    """
    if not hasattr(scheme, "normalisation") or not isinstance(scheme.normalisation, Normalisation):
        yield "has no normalisation: give it a field `normalisation: Normalisation`"
        return  # what follows asks it
    try:
        about_of(scheme)
        misfit_of(scheme, problem, symbols)
        served_by(scheme, problem.task)
        found = trainings_of(scheme, problem, symbols)
    except ValueError as error:
        yield str(error)
        return
    if trainings_of(scheme, problem, symbols) != found:
        yield "trainings are others when asked for again: no training could be found again in a store"
