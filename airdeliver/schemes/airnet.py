"""AirNet: pruned to the budget, distilled, trained through the link, expanded, protected where it is sensitive."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, is_dataclass, replace
from typing import Any

from airdeliver.compression.importance import Importance, Magnitude
from airdeliver.compression.pruning import Pruning
from airdeliver.conversion import Converted, converted
from airdeliver.links import AnalogLink
from airdeliver.links.analog.expansion import Expansion, Repetition, Spiral, least_error
from airdeliver.links.condition import SNR, Condition, level_or_range
from airdeliver.models import ModelBuilder
from airdeliver.normalisation import Normalisation
from airdeliver.package import Package
from airdeliver.problem import Problem
from airdeliver.recipe import Recipe
from airdeliver.schemes.about import AS_IT_IS, FOR_THE_LINK, About, side_of
from airdeliver.schemes.base import Scheme
from airdeliver.schemes.packing import choice_of, pruned_misfit, sender_inputs, whole_misfit
from airdeliver.sensitivity import by_curvature
from airdeliver.training import Trained, Training
from airdeliver.training.methods import Continued, Distillation, Distilled, Method, Pruned, ThroughLink
from channels import AWGN, Channel

EXPANDED_SNR_DB = 7.0
"""SNR in dB after combining that the automatic expansion aims at.

Below, copies pay more than parameters: at matched bandwidth a VGG of 113,000 parameters was 63, 73 and 76 % right on
CIFAR-10 at 0, 5 and 20 dB, a half of it sent twice 66, 74 and 76 %, a quarter sent four times 66, 72 and 74 %.
"""

MOST_INPUTS = 8


@dataclass(frozen=True)
class AirNet(Scheme):
    """The method of the paper, each part of which can be switched off.

    The expansion says how often a value is sent; the network is pruned until it fits the budget that way, and what
    whole channels leave over goes where the link's protection says.

    Args:
        link: that it is trained through and sent over; expansion and design SNR are set by this scheme.
        expansion: of every value; None for the one that suits the training SNR.
        uses_per_value: channel uses of every value, a multiple of 1/2, if `expansion` is None; None for as many as
            suit the training SNR.
        prune: whether the network is pruned until it fits. Otherwise it is sent whole.
        importance: of channels.
        pruning_steps: 1 for one-shot; more for gradual pruning, with a share of the fine-tuning after each step.
        teacher: architecture of the teacher, trained without link, or a factor on the width of the task's model; None
            for no distillation.
        distillation: how the network learns from the teacher.
        noise: whether it is fine-tuned through the link.
        train_snr_db: SNR in dB that it is made for, a number or a range of which every step of the fine-tuning draws
            one.
        train_channel: channel of the fine-tuning.
        fine_tuning: recipe; None for the task's.
        normalisation: where batch-norm statistics come from.

    Raises:
        ValueError: an argument out of range.

    Source: M. Jankowski, D. Gündüz and K. Mikolajczyk, AirNet: Neural Network Transmission over the Air, arXiv
    2105.11166.
    """

    link: AnalogLink = field(default_factory=lambda: AnalogLink(protection="expansion"))
    expansion: Expansion | None = None
    uses_per_value: float | None = None
    prune: bool = True
    importance: Importance = field(default_factory=Magnitude)
    pruning_steps: int = 1
    teacher: ModelBuilder | float | None = 2.0
    distillation: Distillation = field(default_factory=Distillation)
    noise: bool = True
    train_snr_db: Converted[SNR, float | tuple[float, float]] = converted(level_or_range, 5.0)
    train_channel: Channel = field(default_factory=AWGN)
    fine_tuning: Recipe | None = None
    normalisation: Normalisation = field(default_factory=Normalisation)

    def __post_init__(self) -> None:
        if self.pruning_steps < 1:
            raise ValueError(f"pruning_steps must be at least 1, got {self.pruning_steps}")
        uses = self.uses_per_value
        if uses is not None and (uses < 0.5 or not float(2 * uses).is_integer()):
            raise ValueError(f"uses_per_value must be a multiple of 1/2, half a channel use or more, got {uses}")

    @property
    def design_snr_db(self) -> float:
        """SNR in dB that the network is made for: the middle of the range that it is trained at."""
        snr_db = self.train_snr_db
        return sum(snr_db) / 2 if isinstance(snr_db, tuple) else snr_db

    def about(self) -> About:  # noqa: D102
        untouched = not self.noise and self.fine_tuning is not None and self.fine_tuning.epochs == 0
        return About(
            "AirNet",
            side_of(self.link),
            AS_IT_IS if untouched else FOR_THE_LINK,
            train_snr_db=self.train_snr_db if self.noise else None,
            train_channel=self.train_channel if self.noise else None,
        )

    def planned_link(self) -> AnalogLink:
        """The link with this scheme's expansion."""
        inputs = None if self.uses_per_value is None else round(2 * self.uses_per_value)
        expansion = self.expansion or expansion_for(self.design_snr_db, inputs)
        return replace(self.link, expansion=expansion, design_snr_db=self.design_snr_db)

    def trainings(self, problem: Problem, channel_uses: int) -> tuple[Training, ...]:  # noqa: D102
        recipe, clean = self.fine_tuning or problem.fine_tuning, Training.clean(problem)
        if not self.prune:
            return (Training.of(problem, self._learning(problem, Continued(clean), None), recipe),)
        statistics, steps = self.normalisation.sends_statistics, self.pruning_steps
        pruning = Pruning(channel_uses, self.planned_link(), self.importance, statistics, steps=steps)
        training = clean
        for step in range(1, steps + 1):
            epochs = recipe.epochs * step // steps - recipe.epochs * (step - 1) // steps
            pruned = Pruned(Continued(training), replace(pruning, step=step))
            # The budget is what the last step prunes to; before it, the network is too large for it.
            method = self._learning(problem, pruned, channel_uses if step == steps else None)
            training = Training.of(problem, method, replace(recipe, epochs=epochs))
        return (training,)

    def _learning(self, problem: Problem, method: Method, symbols: int | None) -> Method:
        """How the network goes on learning: through the link, and from a teacher.

        Args:
            problem: whose model's width the teacher's is a factor on.
            method: that makes the network.
            symbols: that it is made for; None where it is too large for the budget.
        """
        if self.noise:
            condition = Condition(self.planned_link(), self.train_channel, self.train_snr_db, symbols)
            method = ThroughLink(method, condition)
        return taught(problem, method, problem.model, self.teacher, self.distillation)

    def misfit(self, problem: Problem, channel_uses: int) -> str | None:  # noqa: D102
        if type(self).trainings is not AirNet.trainings:  # which may prune otherwise
            return None
        link, statistics = self.planned_link(), self.normalisation.sends_statistics
        if self.prune:
            return pruned_misfit(problem, Pruning(channel_uses, link, self.importance, statistics))
        return whole_misfit(problem, link, self.normalisation, channel_uses)

    def pack(self, problem: Problem, trained: Mapping[Training, Trained], channel_uses: int) -> Package:  # noqa: D102
        (training,) = self.trainings(problem, channel_uses)
        choice = choice_of(trained[training], self.planned_link(), self.normalisation)
        if self.link.weighs_sensitivity:
            sensitivity = by_curvature(
                choice.model, choice.payload.layout, self.normalisation, problem.task, problem.execution
            )
            choice = replace(choice, payload=replace(choice.payload, sensitivity=sensitivity))
        inputs = sender_inputs(problem, self.normalisation)
        return Package((choice,), self.normalisation, inputs, self.design_snr_db)


def taught(
    problem: Problem,
    method: Method,
    model: ModelBuilder,
    teacher: ModelBuilder | float | None,
    distillation: Distillation,
) -> Method:
    """The same method, learning from a teacher trained without the link; as it is without one.

    Args:
        problem: of the teacher.
        method: of the student.
        model: the student's.
        teacher: a model, or a factor on the width of the student's; None for no teacher.
        distillation: how the student learns.
    """
    if teacher is None:
        return method
    return Distilled(method, Training.clean(problem, teacher_model(teacher, model)), distillation)


def expansion_for(design_snr_db: float, inputs: int | None = None) -> Expansion:
    """The expansion that suits an SNR.

    Args:
        design_snr_db: SNR in dB of the channel inputs.
        inputs: real channel inputs of every value; None for as many, a power of two, as lift repeated values to about
            7 dB.

    >>> [expansion_for(snr_db).inputs for snr_db in (-5.0, 0.0, 5.0, 20.0)]
    [8, 4, 2, 1]
    >>> [type(expansion_for(snr_db, inputs=2)).__name__ for snr_db in (5.0, 15.0)]
    ['Repetition', 'Spiral']
    """
    if inputs is None:
        octaves = (EXPANDED_SNR_DB - design_snr_db) / (10 * math.log10(2))
        inputs = min(MOST_INPUTS, 2 ** max(0, round(octaves)))
    spirals = [Spiral(design_snr_db)] if inputs == 2 and -10 <= design_snr_db <= 25 else []
    return least_error([Repetition(inputs), *spirals], design_snr_db)


def teacher_model(teacher: ModelBuilder | float, model: Any) -> ModelBuilder:
    """The teacher's architecture.

    Args:
        teacher: a model, or a factor on the width of the student's.
        model: the student's.

    Raises:
        ValueError: a factor, and a student that is no dataclass with a width.
    """
    if isinstance(teacher, ModelBuilder):
        return teacher
    if not is_dataclass(type(model)) or not hasattr(model, "width"):
        raise ValueError(
            f"teacher {teacher} is a factor on the width, but {type(model).__name__} is no dataclass with a width: "
            "give a model as teacher"
        )
    return replace(model, width=teacher * model.width)
