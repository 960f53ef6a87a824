"""Training through the link: each step sees the weights as they would arrive."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from torch import Generator, nn

from airdeliver.links.base import Knowledge, Link
from airdeliver.links.plan import Plan
from airdeliver.payload import Flattened, Payload, layout_of
from channels import Channel

_ANY_BUDGET = 1 << 62


@dataclass(frozen=True)
class Through:
    """The link, the channel and the SNR that a network is trained through.

    Args:
        link: whose own perturbation is used; there is no second implementation for training.
        channel: physics.
        snr_db: mean SNR in dB, or a range `(low, high)` of which every step draws one uniformly.

    Raises:
        ValueError: a range that is not low to high.

    Source: AirNet, arXiv 2105.11166, section III-A (noise injection).
    """

    link: Link
    channel: Channel
    snr_db: float | tuple[float, float]

    def __post_init__(self) -> None:
        if not isinstance(self.snr_db, int | float):
            object.__setattr__(self, "snr_db", tuple(self.snr_db))
            if len(self.snr_db) != 2 or self.snr_db[0] > self.snr_db[1]:
                raise ValueError(f"train_snr_db must be a number or a range [low, high] in dB, got {list(self.snr_db)}")

    def draw_snr_db(self, generator: Generator) -> float:
        """The SNR of one step."""
        if not isinstance(self.snr_db, tuple):
            return float(self.snr_db)
        low, high = self.snr_db
        return low + (high - low) * float(torch.rand((), generator=generator, device=generator.device))

    def knowledge(self) -> Knowledge:
        """What the sender plans with: the channel and the middle of the SNR range."""
        middle = sum(self.snr_db) / 2 if isinstance(self.snr_db, tuple) else float(self.snr_db)
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
        self.plan: Plan = through.link.plan(self._payload(), _ANY_BUDGET, through.knowledge())

    def _payload(self) -> Payload:
        return Payload(self.flattened.read(), self.layout)

    @contextmanager
    def __call__(self, generator: Generator) -> Iterator[None]:
        """Within the context the network bears arrived weights; afterwards its own, bit for bit."""
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
