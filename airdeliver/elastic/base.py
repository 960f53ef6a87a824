"""The contract of an elastic network: one parameter set, ordered members."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.func import functional_call

from airdeliver.architecture import Pruned, Shaped
from airdeliver.links.condition import Condition
from airdeliver.normalisation import Normalisation
from airdeliver.payload import Layout, Payload, values_of
from airdeliver.task.base import Task

Computed = Callable[[dict[str, Tensor], Tensor], Tensor]
"""A network as a function: its parameters by name and inputs in, outputs out."""


@dataclass(frozen=True, eq=False)
class Member:
    """One network of a spectrum, and the channel condition that it is meant for.

    Args:
        model: a real network, whose parameters are views of the shared ones; batch-norm statistics are its own.
        condition: the link with this member's expansion, the channel, the range of SNR in dB, and the budget; None
            for a member that is made for no link.
        architecture: that it is of.
        shape: what cuts this member out of the shared parameters: units of each channel group, say.
    """

    model: nn.Module
    condition: Condition | None
    architecture: Shaped
    shape: tuple[int, ...]

    @property
    def description(self) -> bytes:
        """What the receiver must be told of the architecture; side information."""
        return self.architecture.describe(self.shape)

    @property
    def snr_db(self) -> tuple[float, float]:
        """Lowest and highest SNR in dB that it is trained at."""
        return self.meant_for.range_db

    @property
    def meant_for(self) -> Condition:
        """Its condition.

        Raises:
            ValueError: it is made for no link.
        """
        if self.condition is None:
            raise ValueError("this member was trained without a link: it has no SNR and no budget of its own")
        return self.condition

    def layout(self, normalisation: Normalisation) -> Layout:
        """Its segments, with its description."""
        return self.architecture.layout_of_counts(self.shape, normalisation.sends_statistics)

    def payload(self, normalisation: Normalisation, sensitivity: Tensor | None = None) -> Payload:
        """Its values, copied out of the shared ones.

        Args:
            normalisation: says whether batch-norm statistics are part of it.
            sensitivity: loss increase per unit of noise variance of each segment, if it is known.
        """
        layout = self.layout(normalisation)
        return Payload(values_of(self.model, layout), layout, sensitivity)

    def symbols(self, normalisation: Normalisation) -> int:
        """Complex symbols of one delivery, side information included.

        Raises:
            BudgetError: it does not fit into its condition's budget.
        """
        condition = self.meant_for
        return condition.link.plan(self.payload(normalisation), condition.symbols, condition.knowledge()).symbols


class Elastic(nn.Module, ABC):
    """One parameter set that holds ordered members, from the smallest to the largest.

    As a module its parameters are the shared ones, its buffers the statistics of all members, and it computes what the
    largest member does; so it is trained, kept and resumed as any network is. A further kind (slimmable width, ordered
    dropout, early exits) says how a member's parameters come from the shared ones, `parameters_of`.

    Args:
        members: the smallest first; their parameters share memory with the shared ones.

    Attributes:
        steps: of training so far; each has a noise of its own, also in a training that was interrupted.
    """

    members: tuple[Member, ...]
    steps: Tensor

    def __init__(self, members: Sequence[Member]) -> None:
        super().__init__()
        self.members = tuple(members)
        self.register_buffer("steps", torch.zeros((), dtype=torch.int64))

    @property
    def delivered(self) -> tuple[int, ...]:
        """Indices of the members that are sent; a kind that trains others too says which."""
        return tuple(range(len(self.members)))

    def calibrate(self, task: Task, seed: int) -> None:
        """Called when the training is done: a kind whose statistics are calibrated does it here.

        Args:
            task: gives training examples.
            seed: of their choice.
        """
        return

    @abstractmethod
    def parameters_of(self, index: int) -> dict[str, Tensor]:
        """A member's parameters by name, differentiable by the shared ones.

        Args:
            index: of the member.
        """

    def computing(self, index: int) -> Computed:
        """How a member is computed in training: from its parameters by name and inputs to outputs.

        It updates the member's batch-norm statistics. A kind that knows a faster way overrides this.

        Args:
            index: of the member.
        """
        model = self.members[index].model
        return lambda parameters, inputs: functional_call(model, parameters, (inputs,))

    def together(self, index: int) -> Callable[[dict[str, Tensor], Tensor], list[Tensor]] | None:
        """How a member and all smaller ones are computed in one pass, in training; None where each has a pass.

        Args:
            index: of the member; the function takes its parameters by name and inputs, and returns outputs of all
                members up to it.
        """
        return None

    @property
    def largest(self) -> nn.Module:
        """The network of the last member."""
        return self.members[-1].model

    def forward(self, inputs: Tensor) -> Tensor:
        """What the largest member says."""
        return self.largest(inputs)

    def train(self, mode: bool = True) -> "Elastic":
        """Training or evaluation mode, for all members."""
        super().train(mode)
        for member in self.members:
            member.model.train(mode)
        return self


class ElasticBuilder(ABC):
    """How an elastic network of one kind is made, and made again from what was stored. A frozen dataclass."""

    @property
    def members(self) -> int | None:
        """How many are delivered, each of which wants a condition; None for as many as there are conditions."""
        return None

    def shapes(self, architecture: Pruned) -> list[tuple[int, ...]] | None:
        """Shapes of all members where the recipe says them, so that nothing is told of them; None where it does not.

        Args:
            architecture: unpruned.
        """
        return None

    def of_bases(self, bases: Sequence["Elastic"], architecture: Pruned) -> "ElasticBuilder":
        """The builder that knows what was found out by training other networks before; one that needs none is itself.

        Args:
            bases: trained networks.
            architecture: unpruned.

        Raises:
            ValueError: networks that this kind makes nothing of.
        """
        if bases:
            raise ValueError(
                f"{type(self).__name__} takes nothing from other networks, got {len(bases)}: give no bases"
            )
        return self

    @abstractmethod
    def build(
        self,
        model: nn.Module,
        conditions: Sequence[Condition | None],
        architecture: Pruned,
        task: Task,
        seed: int,
        statistics: bool,
    ) -> Elastic:
        """Make members of a trained network.

        Args:
            model: unpruned, on its device.
            conditions: of the members, the smallest member's first; None for one that is trained without a link.
            architecture: of the model.
            task: gives examples and loss.
            seed: of the choice of examples.
            statistics: whether batch-norm statistics are part of the payload.

        Raises:
            BudgetError: the smallest network does not fit a budget.
            ValueError: members of this architecture cannot be cut out of shared parameters.
        """

    @abstractmethod
    def empty(
        self, shapes: Sequence[Sequence[int]], conditions: Sequence[Condition | None], architecture: Pruned
    ) -> Elastic:
        """Make an elastic network of given shapes, whose values do not matter.

        Args:
            shapes: of the members.
            conditions: of the members.
            architecture: unpruned.
        """
