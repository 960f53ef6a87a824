"""Training through the link: each step sees the weights as they would arrive."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from jaxtyping import Float
from torch import Generator, Tensor, nn

from airdeliver.links.base import Knowledge, Link
from airdeliver.links.plan import Plan
from airdeliver.payload import Flattened, Payload, layout_of
from channels import Channel

SNR = float | int | Sequence[float]
"""An SNR in dB, or the ends of a range."""

_ANY_BUDGET = 1 << 62


@dataclass(frozen=True)
class Through:
    """The link, the channel and the SNR that a network is trained through.

    Args:
        link: whose own perturbation is used; there is no second implementation for training.
        channel: physics.
        snr_db: mean SNR in dB, or a range `(low, high)` of which every step draws one uniformly.
        symbols: complex symbols that the link may spend, for a network that is made for one budget; None for what its
            expansion needs and no more.
        penalty: weight of the link's `penalty` (bits per value, for a digital link) beside the task's loss.

    Raises:
        ValueError: a range that is not low to high, or a negative weight.

    Source: noise injection: M. Jankowski, D. Gündüz and K. Mikolajczyk, AirNet, arXiv 2105.11166.
    """

    link: Link
    channel: Channel
    snr_db: SNR
    symbols: int | None = None
    penalty: float = 0.0

    def __post_init__(self) -> None:
        if self.penalty < 0:
            raise ValueError(f"the weight of the penalty must be 0 or more, got {self.penalty}")
        if not isinstance(self.snr_db, int | float):
            ends = tuple(self.snr_db)
            if len(ends) != 2 or ends[0] > ends[1]:
                raise ValueError(f"train_snr_db must be a number or a range [low, high] in dB, got {list(ends)}")
            object.__setattr__(self, "snr_db", ends)

    def draw_snr_db(self, generator: Generator) -> float:
        """The SNR of one step."""
        if isinstance(self.snr_db, int | float):
            return float(self.snr_db)
        low, high = self.snr_db
        return low + (high - low) * float(torch.rand((), generator=generator, device=generator.device))

    @property
    def budget(self) -> int:
        """Complex symbols that the link is planned with: one that nothing exceeds where none was given."""
        return _ANY_BUDGET if self.symbols is None else self.symbols

    def knowledge(self) -> Knowledge:
        """What the sender plans with: the channel and the middle of the SNR range."""
        middle = float(self.snr_db) if isinstance(self.snr_db, int | float) else sum(self.snr_db) / 2
        return Knowledge("average", middle, self.channel)


class Arrival:
    """Replaces a network's weights, for a step, by what would arrive of them.

    The payload's values are perturbed: what travels in mode `receiver`, all of it and nothing else. Batch-norm
    statistics, which the other modes send too, do not enter a training step. Gradients at the arrived weights are
    applied to the clean ones (straight through).
    """

    def __init__(self, model: nn.Module, through: Through) -> None:
        self.through = through
        self.layout = layout_of(model, statistics=False)
        self.flattened = Flattened(model, self.layout)
        named = dict(model.named_parameters())
        self.parameters = [named.get(name) for name in self.layout.names]
        self.plan: Plan = through.link.plan(self._payload(), through.budget, through.knowledge())

    def settled(self) -> dict[str, Any]:
        """What the link has settled on so far: see `Link.settled`."""
        return self.through.link.settled(self.plan)

    def resume(self, settled: Mapping[str, Any]) -> None:
        """Go on as one that has settled on this."""
        if settled:
            self.plan = self.through.link.resumed(self.plan, settled)

    def _payload(self) -> Payload:
        return Payload(self.flattened.read(), self.layout)

    @contextmanager
    def __call__(self, generator: Generator) -> Iterator[None]:
        """Within the context the network bears arrived weights; afterwards its own, bit for bit.

        Gradients are computed within it; that of the penalty is then added, at the network's own weights.
        """
        payload = self._payload()
        self.plan = self.through.link.refresh(self.plan, payload)
        snr_db = self.through.draw_snr_db(generator)
        with torch.no_grad():
            arrived = self.through.link.perturb(payload.values, self.plan, self.through.channel, snr_db, generator)
        self.flattened.write(arrived)
        try:
            yield
        finally:
            self.flattened.write(payload.values)
        if self.through.penalty:
            self._penalise(payload.values)

    def _penalise(self, values: Float[Tensor, "n"]) -> None:
        with torch.enable_grad():
            leaf = values.clone().requires_grad_()
            penalty = self.through.penalty * self.through.link.penalty(leaf, self.plan)
            (gradient,) = torch.autograd.grad(penalty, leaf)
        for parameter, part in zip(self.parameters, self.layout.split(gradient), strict=True):
            if parameter is not None and parameter.grad is not None:
                parameter.grad.add_(part.view(parameter.shape))
