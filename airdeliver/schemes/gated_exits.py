"""Gated exits: the whole network is sent, and each input stops where the answer is sure enough."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal

import torch
from jaxtyping import Float
from torch import Tensor

from airdeliver.conversion import Converted, converted, real
from airdeliver.delivery import send
from airdeliver.elastic import ElasticBuilder, ExitsBuilder
from airdeliver.elastic.depths import thresholds_told
from airdeliver.elastic.thresholds import thresholds_for
from airdeliver.links import Knowledge
from airdeliver.links.foreseen import foreseen
from airdeliver.models.exits import confidence
from airdeliver.normalisation import batch_norms, estimate_statistics
from airdeliver.package import Choice, Package
from airdeliver.payload import Payload
from airdeliver.problem import Problem
from airdeliver.schemes.about import About
from airdeliver.schemes.elastic import ElasticNetwork
from airdeliver.schemes.packing import sender_inputs
from airdeliver.schemes.spectrum import increasing
from airdeliver.spectrum.package import DRAWS, OTHER_NOISE, SYMBOLS, effective_snr_db
from airdeliver.task.judged import judged
from airdeliver.training import Trained, Training
from airdeliver.training.methods import Distillation, Teaching

TOO_HIGH_DB = 0.01
"""By which an SNR may be above the one that is met: what is rounded, not what is worse."""


@dataclass(frozen=True, eq=False)
class ForSNR:
    """What thresholds for one SNR promise: most, where it is the highest that is not above the one that is met.

    Thresholds of a worse channel let fewer leave; those of a better one let wrong answers through. An
    `airdeliver.package.Expectation`.

    Args:
        snr_db: that they were measured at, in dB.
        unknown_snr_db: that a sender without knowledge assumes.
    """

    snr_db: float
    unknown_snr_db: float

    def of(self, knowledge: Knowledge, symbols: int) -> Float[Tensor, "#transmissions"]:
        """Minus the distance in dB, and far less where the SNR is too high; arguments are those of `Expectation.of`."""
        above = self._met(knowledge, symbols) - self.snr_db
        return torch.where(above > -TOO_HIGH_DB, -above, above - 1000.0)

    def _met(self, knowledge: Knowledge, symbols: int) -> Float[Tensor, "#transmissions"]:
        if knowledge.snr_db is None or knowledge.channel is None:
            return torch.tensor([self.unknown_snr_db])
        if knowledge.state is not None:
            return effective_snr_db(knowledge.state).view(-1, knowledge.channel.receivers).mean(1)
        draws: Any = torch.Generator().manual_seed(0)
        met = foreseen(knowledge.channel, knowledge.snr_db, DRAWS, min(symbols, SYMBOLS), draws)
        return effective_snr_db(met.seen).mean().view(1)


@dataclass(frozen=True, kw_only=True)
class GatedExits(ElasticNetwork):
    """A network with early exits, sent whole, that a receiver leaves at the first exit which is sure enough.

    What saves operations, saves no channel use. Noise on the weights changes how sure exits are, so thresholds are
    measured on the validation split with networks as they arrive, at several SNRs; the sender tells those of the
    highest SNR that is not above what it knows, a byte for each exit.

    Args:
        tolerance: by how much the score on the validation split may be below that of the last exit.
        measured: whether thresholds are measured with `received` networks, or with the one that is `sent`.
        table_snr_db: SNRs in dB of these measurements.
        table_realizations: deliveries of each.
        unknown_snr_db: that a sender without knowledge of the channel assumes.

    Raises:
        ValueError: a builder of another kind, a single member, or a tolerance below 0.
    """

    builder: ElasticBuilder = field(default_factory=ExitsBuilder)
    teaching: Teaching = field(default_factory=lambda: Teaching("largest", Distillation(1.0, 0.5), share=1.0))
    tolerance: Converted[float, float] = converted(real, 0.005)
    measured: Literal["received", "sent"] = "received"
    table_snr_db: Converted[Iterable[float], tuple[float, ...]] = converted(
        increasing, (-5.0, 0.0, 5.0, 10.0, 15.0, 20.0)
    )
    table_realizations: int = 8
    unknown_snr_db: float = 5.0

    def __post_init__(self) -> None:
        super().__post_init__()
        if not isinstance(self.builder, ExitsBuilder):
            raise ValueError(f"builder must be an ExitsBuilder, got {type(self.builder).__name__}")
        if self.tolerance < 0 or self.measured not in ("received", "sent"):
            raise ValueError(
                f"tolerance must be 0 or more and measured received or sent, got {self.tolerance} and {self.measured!r}"
            )

    def about(self) -> About:  # noqa: D102
        return replace(super().about(), title="Exits, gated")

    def pack(self, problem: Problem, trained: Mapping[Training, Trained], channel_uses: int) -> Package:  # noqa: D102
        whole = super().pack(problem, trained, channel_uses).choices[0]
        choices = []
        for snr_db in self.table_snr_db if self.measured == "received" else (self.unknown_snr_db,):
            found = self.thresholds(whole, problem, channel_uses, snr_db)
            layout = replace(
                whole.payload.layout, description=whole.payload.layout.description + thresholds_told(found)
            )
            payload = Payload(whole.payload.values, layout, whole.payload.sensitivity)
            choices.append(replace(whole, payload=payload, expectation=ForSNR(snr_db, self.unknown_snr_db)))
        inputs = sender_inputs(problem, self.normalisation)
        return Package(tuple(choices), self.normalisation, inputs, self.unknown_snr_db)

    def thresholds(self, choice: Choice, problem: Problem, symbols: int, snr_db: float) -> tuple[float, ...]:
        """Of each exit but the last, measured on the validation split.

        Args:
            choice: the whole network, without thresholds.
            problem: data, score and seed.
            symbols: the budget.
            snr_db: of the deliveries that they are measured with, in dB.
        """
        task = problem.task
        raw, targets = task.dataset.validation.take(torch.arange(len(task.dataset.validation)))
        inputs = task.dataset.prepare(raw)
        sure, worth = [], []
        for network in self._networks(
            choice, problem, symbols, snr_db, inputs[: self.normalisation.calibration_inputs]
        ):
            with torch.inference_mode():
                said = [logits.float() for logits in network.eval().every(inputs)]
            sure.append(torch.stack([confidence(logits) for logits in said]))
            worth.append(torch.stack([judged(task, logits, targets)[0] for logits in said]).float())
        if not sure:  # nothing arrived: nobody leaves early
            return (1.0,) * (self.count - 1)
        return thresholds_for(torch.cat(sure, 1), torch.cat(worth, 1), self.tolerance)

    def _networks(
        self, choice: Choice, problem: Problem, symbols: int, snr_db: float, calibration: Tensor
    ) -> Iterator[Any]:
        """The networks that thresholds are measured with."""
        if self.measured == "sent":
            network: Any = choice.model
            if batch_norms(network) and not self.normalisation.sends_statistics:
                estimate_statistics(network, calibration)
            yield network
            return
        inputs, channel = sender_inputs(problem, self.normalisation), self.train_channel
        package = Package((choice,), self.normalisation, inputs, self.unknown_snr_db)
        uses, seed = channel.uses(symbols), problem.execution.seed + OTHER_NOISE
        delivery = send(package, channel, snr_db, uses, "average", self.table_realizations, seed)
        for number in torch.nonzero(delivery.usable_realizations).flatten().tolist():
            yield delivery.model(number, calibration)
