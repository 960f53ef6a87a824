"""Digital delivery: quantised, entropy-coded, protected by a channel code; at the rate that promises most accuracy."""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise
from typing import Any

from airdeliver.architecture import Whole
from airdeliver.architecture.whole import layout_of_fresh
from airdeliver.compression.importance import Importance, Magnitude
from airdeliver.compression.pruning import ByValues, Pruning
from airdeliver.compression.quantisers import RateDistortion
from airdeliver.conversion import Converted, converted, instance_of, real, tuple_of
from airdeliver.links import DigitalLink, Worth
from airdeliver.models import ModelBuilder
from airdeliver.normalisation import Normalisation
from airdeliver.package import Package
from airdeliver.payload import layout_of
from airdeliver.problem import Problem
from airdeliver.recipe import Recipe
from airdeliver.schemes.about import AS_IT_IS, FOR_THE_LINK, About, is_limit, side_of
from airdeliver.schemes.airnet import taught
from airdeliver.schemes.base import Scheme
from airdeliver.schemes.packing import choice_of, sender_inputs, whole_misfit
from airdeliver.schemes.worth import UNTRAINED, worth_of
from airdeliver.training import Trained, Training
from airdeliver.training.methods import AtAnyRate, Continued, Distillation, Method, Pruned, Quantised
from airdeliver.training.methods.quantised import QUANTISER

TRAINED = (0.55, 0.7, 0.8, 0.9, 0.95, 1.0, 1.05, 1.1, 1.2, 1.35, 1.6)
"""Rates at which a network is tried out on validation data, relative to the one that it was trained for."""

AMPLE = 16
"""Values a symbol up to which some rate always fits, so that nobody need ask: an eighth of a bit a value."""

_MARGIN = 1.01
"""The container may come out larger than estimated when a network was tried out."""


def shares(values: Any) -> tuple[float, ...]:
    """Shares of a network that are kept; none where each keeps all of it.

    >>> shares([1, 0.5]), shares([1, 1])
    ((1.0, 0.5), ())
    """
    found = tuple_of(real)(values)
    return found if any(share != 1 for share in found) else ()


@dataclass(frozen=True)
class Digital(Scheme):
    """One network or several, each trained for a rate; whichever delivers more accuracy over the channel is sent.

    A network that was trained for no rate is quantised as it is: levels by rate and distortion together, steps at one
    slope over all bands, the rate by accuracy on validation images. A bias correction has no place in it where the
    receiver estimates statistics anew, which takes away whatever quantisation shifts or scales in a channel. Steps by
    measured curvature instead of relative noise were worse at 1 bit a value and less (digits at 0.8: 18 against 90 %)
    and equal from 1.3 on: so large an error has left the region where the curvature says what it costs.

    Args:
        link: that it is sent over; its `worth` is replaced by what each network is measured to be worth.
        train_bits: bits per value that networks are trained for, each starting from the one before; empty for the
            network as it is (post-training quantisation).
        keep: the share of the unpruned network that structured pruning has left when each of them is trained; empty
            for all of it. Bits per value times this share fall from one training to the next.
        importance: of channels, for the pruning.
        teacher: architecture of the teacher of these trainings, or a factor on the width of the model; None for no
            distillation.
        distillation: how they learn from it.
        penalty: weight of the bits per value beside the task's loss in that training.
        models: architectures to choose from, beside the task's: wider ones at fewer bits a value, say.
        fine_tuning: recipe of each of these trainings; None for the task's.
        normalisation: where batch-norm statistics come from.
        together: whether one training serves all of these rates, each step one of them, in place of a chain of
            trainings: a share of the time; down to about 0.7 bits a value.

    Raises:
        ValueError: rates that do not fall, shares that rise, a negative penalty, or one training for several shares or
            for no rate.

    Source: quantisation-aware training with a rate term: D. Oktay et al., Scalable Model Compression by Entropy
    Penalized Reparameterization, ICLR 2020.
    """

    link: DigitalLink = field(default_factory=DigitalLink)
    train_bits: Converted[Iterable[float], tuple[float, ...]] = converted(tuple_of(real), ())
    keep: Converted[Iterable[float], tuple[float, ...]] = converted(shares, ())
    importance: Importance = field(default_factory=Magnitude)
    teacher: ModelBuilder | float | None = None
    distillation: Distillation = field(default_factory=Distillation)
    penalty: float = 0.0
    models: Converted[Iterable[ModelBuilder], tuple[ModelBuilder, ...]] = converted(
        tuple_of(instance_of(ModelBuilder)), ()
    )
    fine_tuning: Recipe | None = None
    normalisation: Normalisation = field(default_factory=Normalisation)
    together: bool = False

    def __post_init__(self) -> None:
        if len(self._kept) != len(self.train_bits):
            raise ValueError(
                f"keep needs a share for each of train_bits or none, got {list(self.keep)} for {list(self.train_bits)}"
            )
        if _rises((1.0, *self._kept)) or min(self._kept, default=1) <= 0:
            raise ValueError(f"keep must be shares of the network that never rise, above 0, got {list(self.keep)}")
        if self.together and (self.keep or not self.train_bits):
            raise ValueError(
                f"one training together needs train_bits and no shares to keep, got {list(self.train_bits)} and "
                f"{list(self.keep)}"
            )
        costs = [bits * share for bits, share in zip(self.train_bits, self._kept, strict=True)]
        if _rises(costs) or min(costs, default=1) <= 0:
            raise ValueError(
                "train_bits, times the shares that are kept, must be above 0 and fall from one to the next, "
                f"got {list(self.train_bits)}"
            )

    @property
    def _kept(self) -> tuple[float, ...]:
        """The share of the unpruned network that each training leaves."""
        return self.keep or (1.0,) * len(self.train_bits)

    def about(self) -> About:  # noqa: D102
        limit = is_limit(self.link)
        title = f"Digital{' QAT' if self.train_bits else ''}{': rate at capacity, these networks' if limit else ''}"
        return About(title, side_of(self.link), FOR_THE_LINK if self.train_bits else AS_IT_IS, limit=limit)

    def trainings(self, problem: Problem, channel_uses: int) -> tuple[Training, ...]:  # noqa: D102
        models = (problem.model, *self.models)
        return tuple(dict.fromkeys(training for model in models for _, training in self._chain(problem, model)))

    def _chain(self, problem: Problem, model: ModelBuilder) -> list[tuple[float | None, Training]]:
        """Bits a value and training of each network, each starting from the one before; None as it is."""
        training, chain = self.first(problem, model), []
        if self.together:
            method: Method = AtAnyRate(Continued(training), self._quantiser(1.0), self.penalty, rates=self.train_bits)
            method = self.held(taught(problem, method, model, self.teacher, self.distillation))
            training = Training.of(problem, method, self.fine_tuning or problem.fine_tuning)
            return [(bits, training) for bits in self.train_bits]
        for bits, share, before in zip(self.train_bits, self._kept, (1.0, *self._kept), strict=False):
            method = Continued(training)
            if share < before:
                method = Pruned(method, self._pruning(problem, model, share))
            method = Quantised(method, self._quantiser(bits), self.penalty)
            method = self.held(taught(problem, method, model, self.teacher, self.distillation))
            training = Training.of(problem, method, self.fine_tuning or problem.fine_tuning)
            chain.append((bits, training))
        return chain or [(None, training)]

    def _quantiser(self, bits: float) -> RateDistortion:
        """In the loop of a training: the link's, if it follows a rate."""
        own = self.link.quantiser
        return replace(own if isinstance(own, RateDistortion) else RateDistortion(), bits_per_value=bits)

    def first(self, problem: Problem, model: ModelBuilder) -> Training:
        """The network that the trainings for a rate start from, or that is sent as it is."""
        return Training.clean(problem, model)

    def held(self, method: Method) -> Method:
        """The method of a training for a rate, with what a kind of network asks for."""
        return method

    def _pruning(self, problem: Problem, model: ModelBuilder, share: float) -> Pruning:
        """To a share of the values of the unpruned network."""
        statistics = self.normalisation.sends_statistics
        values = layout_of(problem.task.build(model), statistics=statistics).size
        return Pruning(math.ceil(share * values / 2), ByValues(), self.importance, statistics)

    def misfit(self, problem: Problem, channel_uses: int) -> str | None:
        """Told of networks that are not pruned, where the budget is tight enough to ask; adaptation does the rest."""
        if self.keep or self.models or type(self).pack is not Digital.pack:
            return None
        statistics = self.normalisation.sends_statistics
        if layout_of_fresh(Whole.of(problem.task, problem.model), statistics).size <= AMPLE * channel_uses:
            return None
        return whole_misfit(problem, self.link, self.normalisation, channel_uses)

    def pack(self, problem: Problem, trained: Mapping[Training, Trained], channel_uses: int) -> Package:  # noqa: D102
        choices = []
        for model in (problem.model, *self.models):
            for number, (bits, training) in enumerate(self._chain(problem, model)):
                network = trained[training]
                link = replace(self.link, state=self._trained_state(network, number))
                choice = choice_of(network, link, self.normalisation)
                rates = UNTRAINED if bits is None else [share * bits for share in TRAINED]
                worth = worth_of(choice, problem, self.normalisation, rates)
                choices.append(replace(choice, link=self._weighed(link, worth)))
        inputs = sender_inputs(problem, self.normalisation)
        return Package(tuple(choices), self.normalisation, inputs, self.link.adaptation.design_snr_db)

    def _trained_state(self, trained: Trained, number: int) -> Mapping[str, Any] | None:
        """The state of the quantiser that a network was trained with, if it is that of all that is sent.

        Args:
            trained: the network.
            number: of the rate, of those that were trained together.
        """
        if self.normalisation.sends_statistics or QUANTISER not in trained.state:
            return None
        states = trained.state[QUANTISER]
        return states[number] if self.together else states

    def _weighed(self, link: DigitalLink, worth: Worth) -> DigitalLink:
        """The link that knows what its deliveries are worth."""
        if not self.train_bits:
            return replace(link, worth=worth)
        # More bits than a network was trained for may even harm it: they stay unused.
        enough = min(bits for bits, score in worth.points if score == worth.points[-1][1])
        return replace(link, worth=worth, bits_per_value=_MARGIN * enough)


def _rises(numbers: Sequence[float]) -> bool:
    return any(after > before for before, after in pairwise(numbers))
