"""Several tasks by as many networks, at as many bits as one set of signs takes."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from airdeliver.architecture.keyed import Keyed
from airdeliver.architecture.keys import KEY_BYTES
from airdeliver.compression.quantisers import RateDistortion
from airdeliver.links import DigitalLink
from airdeliver.models.several import Served, SideBySide
from airdeliver.normalisation import Normalisation
from airdeliver.package import Package
from airdeliver.payload import Layout, layout_of
from airdeliver.problem import Problem
from airdeliver.recipe import Recipe
from airdeliver.schemes.about import FOR_THE_LINK, About, is_limit, side_of
from airdeliver.schemes.base import Scheme
from airdeliver.schemes.packing import choice_of, sender_inputs
from airdeliver.schemes.reconfigurable import SIGNS
from airdeliver.schemes.several_tasks import check_tasks, for_each, scored, served
from airdeliver.task import Task
from airdeliver.training import Trained, Training
from airdeliver.training.methods import Continued, Plain, Quantised
from airdeliver.training.methods.in_turn import InTurn
from airdeliver.training.methods.quantised import QUANTISER

FIRST_BITS = 1.0
"""A value, of the first training for a rate; each further one has half of it, down to the rate that is wanted."""


@dataclass(frozen=True)
class ASetForEach(Scheme):
    """A network for each task, all quantised together to as many bits as `OneSetOfSigns` takes: its rival.

    Each task has as many epochs as there, and the trainings for lower and lower rates come on top. Levels and steps of
    all networks are chosen together, so that a task that needs more bits gets them.

    Args:
        tasks: how many, the first of the data set's.
        bits: of all networks together; None for as many as one set of signs takes, its keys included.
        penalty: weight of the bits a value beside the task's loss.
        link: that they are sent over; quantiser and rate are set by this scheme.
        training: recipe for each task; None for the task's.
        fine_tuning: recipe of each training for a rate, for each task; None for the task's.
        normalisation: where batch-norm statistics come from.

    Raises:
        ValueError: fewer than one task, or bits that are not positive.
    """

    tasks: int = 2
    bits: float | None = None
    penalty: float = 0.5
    link: DigitalLink = field(default_factory=DigitalLink)
    training: Recipe | None = None
    fine_tuning: Recipe | None = None
    normalisation: Normalisation = field(default_factory=Normalisation)

    def __post_init__(self) -> None:
        check_tasks(self.tasks)
        if self.bits is not None and not self.bits > 0:
            raise ValueError(f"bits must be above 0, or None for as many as one set of signs takes, got {self.bits}")

    def about(self) -> About:  # noqa: D102
        title = f"A network for each of {self.tasks} tasks" if self.tasks > 1 else "A network for 1 task"
        return About(title, side_of(self.link), FOR_THE_LINK, limit=is_limit(self.link), tasks=self.tasks)

    def serves(self, task: Task) -> Task:
        """The first tasks."""
        return scored(task, tuple(range(self.tasks)))

    def trainings(self, problem: Problem, channel_uses: int) -> tuple[Training, ...]:  # noqa: D102
        tasks = served(problem, self.tasks)
        plain = InTurn(Plain(SideBySide(problem.model, tasks)))
        training = Training.of(problem, plain, for_each(self.training or problem.training, self.tasks))
        recipe = for_each(self.fine_tuning or problem.fine_tuning, self.tasks)
        for rate in falling(self._rate(problem, tasks)):
            method = Quantised(InTurn(Continued(training)), RateDistortion(rate), self.penalty)
            training = Training.of(problem, method, recipe)
        return (training,)

    def pack(self, problem: Problem, trained: Mapping[Training, Trained], channel_uses: int) -> Package:  # noqa: D102
        (training,) = self.trainings(problem, channel_uses)
        network = trained[training]
        rate = self._rate(problem, served(problem, self.tasks))
        state = None if self.normalisation.sends_statistics else network.state[QUANTISER]
        link = replace(self.link, quantiser=RateDistortion(rate), bits_per_value=rate, state=state)
        choice = choice_of(network, link, self.normalisation)
        return Package((choice,), self.normalisation, sender_inputs(problem, self.normalisation))

    def _rate(self, problem: Problem, tasks: Served) -> float:
        """Bits a value."""
        network = SideBySide(problem.model, tasks)(problem.task.signature.inputs, problem.task.signature.outputs)
        bits = self.bits or bits_of_signs(problem, tasks)
        return bits / layout_of(network, self.normalisation.sends_statistics).size


def bits_of_signs(problem: Problem, tasks: Served) -> float:
    """About what one set of signs takes: a bit for each of them, 8 for each other value, and the keys."""
    keys = [bytes(KEY_BYTES)] * len(tasks.tasks)
    network = Keyed(problem.model, problem.task.signature.inputs // len(tasks.outputs), tasks).fresh(keys)
    layout: Layout = layout_of(network, statistics=False)
    signs = sum(weight.numel() for weight in network.binary.values())
    return float(signs + SIGNS.small_bits * (layout.size - signs) + 8 * KEY_BYTES * len(keys))


def falling(rate: float) -> list[float]:
    """Rates of a chain of trainings: from 1 bit a value by halves down to the rate.

    >>> falling(0.3), falling(1.5)
    ([1.0, 0.5, 0.3], [1.5])
    """
    rates, before = [], FIRST_BITS
    while before > 1.2 * rate:
        rates.append(before)
        before /= 2
    return [*rates, rate]
