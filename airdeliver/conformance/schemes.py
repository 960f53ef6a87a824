"""Does a scheme keep its contract, as far as can be told before anything is trained?"""

from collections.abc import Iterator

from airdeliver.normalisation import Normalisation
from airdeliver.problem import Problem
from airdeliver.schemes import About, Scheme
from airdeliver.training import Training


def examine_scheme(scheme: Scheme, problem: Problem, symbols: int) -> Iterator[str]:
    """One line for each fault of `about`, `normalisation` and `trainings`.

    Args:
        scheme: what is examined.
        problem: that it is given.
        symbols: complex symbols that fit.
    """
    about = scheme.about()
    if not isinstance(about, About):
        yield f"about() gives {type(about).__name__}; expected an About"
    if not hasattr(scheme, "normalisation") or not isinstance(scheme.normalisation, Normalisation):
        yield "has no normalisation: give it a field `normalisation: Normalisation`"
    found = scheme.trainings(problem, symbols)
    if not isinstance(found, tuple) or not all(isinstance(training, Training) for training in found):
        yield f"trainings must be a tuple of Training, got {type(found).__name__}"
    elif scheme.trainings(problem, symbols) != found:
        yield "trainings are others when asked for again: no training could be found again in a store"
