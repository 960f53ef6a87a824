"""One network, trained for one quantiser and sent with its levels: quantisers compared with each other."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal

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
from airdeliver.training.methods import Continued, FoldedNorms, Method, Quantised
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
        folding: the way in which batch norms are folded into the weights before these are quantised, 0 to 4: see
            `FoldedNorms`; None for norms that travel beside them.
        fine_tuning: recipe; None for the task's.
        normalisation: where batch-norm statistics come from; folded norms have none.

    Raises:
        ValueError: a folding that there is not, or one with a penalty.
    """

    quantiser: Quantiser = field(default_factory=LSQ)
    activation_bits: int | None = None
    link: DigitalLink = field(default_factory=DigitalLink)
    penalty: float = 0.0
    folding: Literal[0, 1, 2, 3, 4] | None = None
    fine_tuning: Recipe | None = None
    normalisation: Normalisation = field(default_factory=Normalisation)

    def __post_init__(self) -> None:
        if self.folding is not None and (self.folding not in range(5) or self.penalty):
            raise ValueError(
                f"folding must be 0 to 4, without a penalty, or None, got {self.folding} and {self.penalty}"
            )

    def about(self) -> About:  # noqa: D102
        bits = getattr(self.quantiser, "bits", None)
        precision = "" if bits is None else f", {bits} bits"
        activations = "" if self.activation_bits is None else f", activations of {self.activation_bits}"
        folded = "" if self.folding is None else f", norms folded by way {self.folding}"
        title = f"{type(self.quantiser).__name__}{precision}{activations}{folded}"
        return About(title, side_of(self.link), FOR_THE_LINK)

    def model(self, problem: Problem) -> ModelBuilder:
        """The problem's architecture, with quantised activations if there are."""
        bits = self.activation_bits
        return problem.model if bits is None else QuantisedActivations(problem.model, bits)

    def trainings(self, problem: Problem, channel_uses: int) -> tuple[Training, ...]:  # noqa: D102
        clean = Training.clean(problem, self.model(problem))
        method: Method = Quantised(Continued(clean), self.quantiser, self.penalty)
        if self.folding is not None:
            method = FoldedNorms(Continued(clean), self.quantiser, self.folding)
        return (Training.of(problem, method, self.fine_tuning or problem.fine_tuning),)

    def pack(self, problem: Problem, trained: Mapping[Training, Trained], channel_uses: int) -> Package:  # noqa: D102
        (training,) = self.trainings(problem, channel_uses)
        network = trained[training]
        link = replace(self.link, quantiser=self.quantiser, state=self._state(network))
        choice = choice_of(network, link, self.normalisation)
        return Package((choice,), self.normalisation, sender_inputs(problem, self.normalisation))

    def _state(self, trained: Trained) -> Mapping[str, Any] | None:
        """Of the quantiser, if what it was trained for is all that is sent."""
        others = self.normalisation.sends_statistics and self.folding is None
        return None if others else trained.state[QUANTISER]
