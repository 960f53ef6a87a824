"""One network, trained for one quantiser and sent with its levels: quantisers compared with each other."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from airdeliver.compression.quantisers import LSQ, Quantiser
from airdeliver.links import DigitalLink
from airdeliver.models import ModelBuilder
from airdeliver.models.quantised import QuantisedActivations
from airdeliver.normalisation import Normalisation
from airdeliver.package import Package
from airdeliver.problem import Problem
from airdeliver.recipe import Recipe
from airdeliver.schemes.about import FOR_THE_LINK, About, side_of
from airdeliver.schemes.base import Scheme
from airdeliver.schemes.packing import choice_of, sender_inputs
from airdeliver.training import Trained, Training
from airdeliver.training.methods import Continued, Quantised
from airdeliver.training.methods.quantised import QUANTISER


@dataclass(frozen=True)
class OneQuantiser(Scheme):
    """Clean training, then training with the quantiser in the loop; the container has the size that it has.

    Unlike `Digital`, which fits levels to the channel, this sends the network at the precision that it was made for: at
    the slowest grade that the budget allows.

    Args:
        quantiser: of the weights.
        activation_bits: of the activations, by PACT; None for binary32.
        link: that it is sent over; quantiser and state are set by this scheme.
        penalty: weight of the bits per value beside the task's loss, for quantisers that have a rate.
        fine_tuning: recipe; None for the task's.
        normalisation: where batch-norm statistics come from.
    """

    quantiser: Quantiser = field(default_factory=LSQ)
    activation_bits: int | None = None
    link: DigitalLink = field(default_factory=DigitalLink)
    penalty: float = 0.0
    fine_tuning: Recipe | None = None
    normalisation: Normalisation = field(default_factory=Normalisation)

    def about(self) -> About:  # noqa: D102
        bits = getattr(self.quantiser, "bits", None)
        precision = "" if bits is None else f", {bits} bits"
        activations = "" if self.activation_bits is None else f", activations of {self.activation_bits}"
        title = f"{type(self.quantiser).__name__}{precision}{activations}"
        return About(title, side_of(self.link), FOR_THE_LINK)

    def model(self, problem: Problem) -> ModelBuilder:
        """The problem's architecture, with quantised activations if there are."""
        bits = self.activation_bits
        return problem.model if bits is None else QuantisedActivations(problem.model, bits)

    def trainings(self, problem: Problem, channel_uses: int) -> tuple[Training, ...]:  # noqa: D102
        clean = Training.clean(problem, self.model(problem))
        method = Quantised(Continued(clean), self.quantiser, self.penalty)
        return (Training.of(problem, method, self.fine_tuning or problem.fine_tuning),)

    def pack(self, problem: Problem, trained: Mapping[Training, Trained], channel_uses: int) -> Package:  # noqa: D102
        (training,) = self.trainings(problem, channel_uses)
        network = trained[training]
        link = replace(self.link, quantiser=self.quantiser, state=self._state(network))
        choice = choice_of(network, link, self.normalisation)
        return Package((choice,), self.normalisation, sender_inputs(problem, self.normalisation))

    def _state(self, trained: Trained) -> Mapping[str, Any] | None:
        """Of the quantiser, if what it was trained for is all that is sent."""
        return None if self.normalisation.sends_statistics else trained.state[QUANTISER]
