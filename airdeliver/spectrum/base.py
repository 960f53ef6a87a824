"""The contract of a spectrum: one parameter set, ordered members."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor, nn
from torch.func import functional_call

from airdeliver.compression.architecture import PrunableArchitecture
from airdeliver.normalisation import Normalisation
from airdeliver.package import Builder, Choice
from airdeliver.payload import Layout, Payload, layout_of, values_of
from airdeliver.task import Task
from airdeliver.training.through import Through

Computed = Callable[[dict[str, Tensor], Tensor], Tensor]
"""A network as a function: its parameters by name and images in, logits out."""


@dataclass(frozen=True, eq=False)
class Member:
    """One network of a spectrum, and the channel condition that it is meant for.

    Args:
        model: a real network, whose parameters are views of the spectrum's; batch-norm statistics are its own.
        condition: the link with this member's expansion, the channel, the range of SNR in dB, and the budget.
        builder: of the architecture at the receiver.
        description: what the receiver must be told of the architecture; side information.
        shape: of the spectrum's parameters, as JSON holds it: what cuts this member out of them.
    """

    model: nn.Module
    condition: Through
    builder: Builder
    description: bytes
    shape: Sequence[int]

    @property
    def snr_db(self) -> tuple[float, float]:
        """Lowest and highest SNR in dB that it is trained at."""
        snr_db = self.condition.snr_db
        low, high = (snr_db, snr_db) if isinstance(snr_db, int | float) else snr_db
        return float(low), float(high)

    def layout(self, normalisation: Normalisation) -> Layout:
        """Its segments, with its description."""
        layout = layout_of(self.model, statistics=normalisation.sends_statistics)
        return replace(layout, description=self.description)

    def payload(self, normalisation: Normalisation, sensitivity: Tensor | None = None) -> Payload:
        """Its values, copied out of the spectrum.

        Args:
            normalisation: says whether batch-norm statistics are part of it.
            sensitivity: loss increase per unit of noise variance of each segment, if it is known.
        """
        layout = self.layout(normalisation)
        return Payload(values_of(self.model, layout), layout, sensitivity)

    def choice(self, normalisation: Normalisation, sensitivity: Tensor | None = None) -> Choice:
        """What a sender holds to send it; the arguments are those of `payload`."""
        return Choice(self.builder, self.model, self.payload(normalisation, sensitivity), self.condition.link)

    def symbols(self, normalisation: Normalisation) -> int:
        """Complex symbols of one delivery, side information included.

        Raises:
            BudgetError: it does not fit into its condition's budget.
        """
        condition = self.condition
        return condition.link.plan(self.payload(normalisation), condition.budget, condition.knowledge()).symbols


class Spectrum(nn.Module, ABC):
    """One parameter set that holds ordered members, from the smallest to the largest.

    As a module its parameters are the shared ones, its buffers the statistics of all members, and it computes what the
    largest member does; so it is trained, kept and resumed as any network is. A further kind (slimmable width, ordered
    dropout, early exits) says how a member's parameters come from the shared ones, `parameters_of`.

    Args:
        members: the smallest first; their parameters share memory with those of the spectrum.

    Attributes:
        steps: of training so far; each has a noise of its own, also in a training that was interrupted.
    """

    members: tuple[Member, ...]
    steps: Tensor

    def __init__(self, members: Sequence[Member]) -> None:
        super().__init__()
        self.members = tuple(members)
        self.register_buffer("steps", torch.zeros((), dtype=torch.int64))

    @abstractmethod
    def parameters_of(self, index: int) -> dict[str, Tensor]:
        """A member's parameters by name, differentiable by those of the spectrum.

        Args:
            index: of the member.
        """

    def computing(self, index: int) -> Computed:
        """How a member is computed in training: from its parameters by name and images to logits.

        It updates the member's batch-norm statistics. A kind of spectrum that knows a faster way overrides this.

        Args:
            index: of the member.
        """
        model = self.members[index].model
        return lambda parameters, images: functional_call(model, parameters, images)

    @property
    def largest(self) -> nn.Module:
        """The network of the last member."""
        return self.members[-1].model

    def forward(self, images: Tensor) -> Tensor:
        """What the largest member says."""
        return self.largest(images)

    def train(self, mode: bool = True) -> "Spectrum":
        """Training or evaluation mode, for all members."""
        super().train(mode)
        for member in self.members:
            member.model.train(mode)
        return self


class SpectrumBuilder(ABC):
    """How a spectrum of one kind is made, and made again from what was stored. A frozen dataclass."""

    @abstractmethod
    def build(
        self,
        model: nn.Module,
        conditions: Sequence[Through],
        architecture: PrunableArchitecture,
        task: Task,
        seed: int,
        statistics: bool,
    ) -> Spectrum:
        """Make members of a trained network.

        Args:
            model: unpruned, on the task's device.
            conditions: of the members, the smallest member's first, each with a budget.
            architecture: of the model.
            task: gives images and loss.
            seed: of the choice of images.
            statistics: whether batch-norm statistics are part of the payload.

        Raises:
            BudgetError: the smallest network does not fit a budget.
            ValueError: members of this architecture cannot be cut out of shared parameters.
        """

    @abstractmethod
    def empty(
        self, shapes: Sequence[Sequence[int]], conditions: Sequence[Through], architecture: PrunableArchitecture
    ) -> Spectrum:
        """Make a spectrum of given shapes, whose values do not matter.

        Args:
            shapes: of the members.
            conditions: of the members.
            architecture: unpruned.
        """

    def restore(
        self,
        tensors: Mapping[str, Tensor],
        shapes: Sequence[Sequence[int]],
        conditions: Sequence[Through],
        architecture: PrunableArchitecture,
    ) -> Spectrum:
        """Make a spectrum of its state dict, in evaluation mode.

        Args:
            tensors: the state dict.
            shapes: of the members.
            conditions: of the members.
            architecture: unpruned.
        """
        spectrum = self.empty(shapes, conditions, architecture)
        spectrum.load_state_dict(dict(tensors))
        return spectrum.eval()


def shapes(spectrum: Spectrum) -> list[list[int]]:
    """What JSON holds of the members; with the state dict, enough to restore the spectrum."""
    return [list(member.shape) for member in spectrum.members]


def parameters(model: Any) -> int:
    """Number of learned parameters."""
    return sum(p.numel() for p in model.parameters())
