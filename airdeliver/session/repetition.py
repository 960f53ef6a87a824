"""Analog repetition: values are sent again, the sensitive ones first, until the expected score suffices."""

import math
from dataclasses import dataclass, replace

import torch
from jaxtyping import Bool, Complex, Float
from torch import Tensor

from airdeliver.links import AnalogLink, Decoded, Knowledge, Plan
from airdeliver.links.analog.link import equalise
from airdeliver.links.analog.plan import AnalogPlan
from airdeliver.links.base import side_information_arrives
from airdeliver.package import Choice
from airdeliver.session.assured import AssuredChoice, Promise
from airdeliver.session.base import Air, Course, Session
from channels import ChannelState

REPORT_BITS = 8
"""Of the SNR that a receiver answers with, in half dB."""

_LEAST_NOISE = 1e-12

POWER_BITS = 16
"""Of the root mean square of what a round sends again, where it is above 1."""


@dataclass(frozen=True, kw_only=True)
class Repetition(Session):
    r"""An analog delivery, and rounds that repeat some of its values; observations are combined by their precision.

    After each round a receiver answers with its SNR. The sender knows then how noisy each segment is,
    $1 / (1 + \sum_k \gamma_k)$ of its variance, and what loss that adds: sensitivity times noise. Where the score that
    this loss promises is enough it stops; otherwise it sends again the values whose noise costs most, as many as
    `share` allows. Maximum ratio combining: an observation weighs as much as its SNR.

    Args:
        share: of the values that each further round repeats, above 0 and at most 1.
        enough: of the best promised score, from which on a receiver is content; above 1 for all rounds.

    Raises:
        ValueError: no round, or a share outside 0 to 1.

    Source: D. Tse and P. Viswanath, Fundamentals of Wireless Communication, 2005, section 3.3.1 (maximum ratio
    combining).
    """

    share: float = 1.0
    enough: float = 0.99

    def __post_init__(self) -> None:
        super().__post_init__()
        if not 0 < self.share <= 1:
            raise ValueError(f"share must be above 0 and at most 1, got {self.share}")

    def room(self, choice: Choice, symbols: int, receivers: int) -> int:  # noqa: D102
        segments = len(choice.payload.layout.segments)
        announced = self.feedback.uses(segments * (16 + 1) + POWER_BITS)
        spoken = (self.rounds - 1) * (receivers * self.feedback.uses(REPORT_BITS) + announced)
        return math.floor(max(0, symbols - spoken) / (1 + (self.rounds - 1) * self.share))

    def run(  # noqa: D102
        self, choice: Choice, statistics: bool, knowledge: Knowledge, symbols: int, air: Air, plan: Plan | None = None
    ) -> Course:
        link = _analog(choice)
        values = choice.payload.values
        plan = link.plan(choice.payload, symbols, knowledge) if plan is None else plan
        assert isinstance(plan, AnalogPlan)
        layout = choice.architecture.layout(choice.payload.layout.description, statistics)
        heard = _Heard(link, plan, link.plan_from_bytes(plan.to_bytes(), layout), choice.payload.sensitivity, air)
        promise = choice.promise if isinstance(choice, AssuredChoice) else None
        sent = link.encode(values, plan)
        uses, left = torch.zeros(2, air.receivers, dtype=torch.int64)
        waiting = torch.ones(air.receivers, dtype=torch.bool)
        told = torch.zeros_like(waiting)
        rounds: list[Decoded] = []
        for number in range(self.rounds):
            if number:
                waiting = self._waiting(waiting, heard, promise, told)
            if not bool(waiting.any()):
                break
            state = air.state(number)
            if number == 0:
                taken = heard.hear_all(sent, state)
            else:
                taken = heard.hear_again(values, air.together(waiting), self.share, self.feedback.rate, state)
            untold = air.together(~told)
            told |= untold & side_information_arrives(plan, air.channel, state, air.noise).cpu()
            taken = air.uses(taken + untold * plan.side_information_symbols)
            uses = uses + torch.where(waiting, taken + self._answers(number, waiting, air), 0)
            left = left + waiting
            decoded = Decoded(heard.values(), told.to(values.device), uses.to(values.device))
            rounds.append(decoded if not rounds else _kept(decoded, rounds[-1], waiting))
        return Course(plan, rounds, left, sent.abs().square().mean(-1))

    def _waiting(self, before: Tensor, heard: "_Heard", promise: Promise | None, told: Tensor) -> Tensor:
        """Who is not content: what has arrived promises too little."""
        if promise is None:
            return before
        return before & (~told | (promise.of(heard.loss()) < self.enough * promise.best))

    def _answers(self, number: int, waiting: Tensor, air: Air) -> Tensor:
        n = air.channel.receivers
        if number == self.rounds - 1:
            return torch.zeros(len(waiting), dtype=torch.int64)
        return waiting.unflatten(0, (-1, n)).sum(-1).repeat_interleave(n) * self.feedback.uses(REPORT_BITS)


class _Heard:
    """What receivers have of every value that travels: sums of precision, and of observations times precision.

    Args:
        link: analog.
        plan: the sender's.
        received: the receivers'.
        sensitivity: of segments; None where noise relative to a segment's variance counts the same on every one.
        air: channel and noise.
    """

    def __init__(
        self, link: AnalogLink, plan: AnalogPlan, received: AnalogPlan, sensitivity: Tensor | None, air: Air
    ) -> None:
        self.link, self.plan, self.air = link, plan, air
        self.received = received.granting(plan.payload_symbols) if link.fills else received
        sizes = torch.tensor(plan.travelling)
        self.segment = torch.arange(len(sizes)).repeat_interleave(sizes)
        self.sizes = sizes.clamp(min=1)
        weight = torch.ones(len(sizes), dtype=torch.float64)
        if sensitivity is not None:
            weight = (sensitivity.cpu() * plan.scale.cpu().square()).double().clamp(min=0)
        self.weight = weight * (sizes > 0)
        self.precision = torch.zeros(air.receivers, plan.payload_values)
        self.weighted = torch.zeros_like(self.precision)

    def hear_all(self, symbols: Complex[Tensor, "1 n"], state: ChannelState) -> Tensor:
        """The first round: all values, as the plan says; returns the symbols it took of each row."""
        samples = self.air.channel.transmit(symbols, state, self.air.noise)
        observed, variance = self.link.observe(samples, self.received)
        self._add(torch.arange(self.air.receivers), torch.arange(self.precision.shape[1]), observed, variance)
        return torch.full((self.air.receivers,), self.plan.payload_symbols)

    def hear_again(
        self, values: Tensor, waiting: Bool[Tensor, "receivers"], share: float, rate: float, state: ChannelState
    ) -> Tensor:
        """A further round: to each transmission the values whose noise costs it most; the symbols it took."""
        mean, scale = self.plan.spread(values)
        stream = self.plan.stream(values.device)
        normal = stream.select((values - mean) / scale)
        taken = torch.zeros(self.air.receivers, dtype=torch.int64)
        counts = self._wanted(share).masked_fill(~waiting.unsqueeze(-1), 0)
        kinds, which = counts.unique(dim=0, return_inverse=True)
        first = torch.cat([torch.zeros(1, dtype=torch.int64), torch.tensor(self.plan.travelling).cumsum(0)[:-1]])
        for kind, count in enumerate(kinds):
            rows = torch.nonzero((which == kind) & waiting).flatten()
            if not len(rows) or not int(count.sum()):
                continue
            places = torch.cat([torch.arange(int(a), int(a + n)) for a, n in zip(first, count, strict=True) if n])
            symbols, level = _paired(normal[places.to(normal.device)])
            samples = self.air.channel.transmit(symbols, state[rows.to(state.gain.device)], self.air.noise)
            observed, variance = equalise(samples)
            variance = variance.cpu().expand(len(rows), observed.shape[1])[:, : len(places)]
            self._add(rows, places, observed.cpu()[:, : len(places)] * level, variance * level**2)
            told = 17 * len(self.sizes) + POWER_BITS
            taken[rows] = symbols.shape[1] + math.ceil(told / rate)
        return taken

    def loss(self) -> Float[Tensor, "receivers"]:
        """What the noise on the values is expected to add to the loss of each receiver, float64."""
        return self._noise() @ self.weight

    def values(self) -> Float[Tensor, "receivers n"]:
        """What the receivers make of all observations so far."""
        observed = torch.where(self.precision > 0, self.weighted / self.precision, 0.0)
        return self.link.conclude(observed, 1 / self.precision, self.received)

    def _add(self, rows: Tensor, places: Tensor, observed: Tensor, variance: Tensor) -> None:
        precision = (1 / variance.clamp(min=_LEAST_NOISE)).expand(observed.shape).cpu()
        at = rows.unsqueeze(-1), places
        self.precision[at] += precision
        self.weighted[at] += observed.cpu() * precision

    def _noise(self) -> Float[Tensor, "receivers segments"]:
        """Mean error variance of each segment's values, relative to their own."""
        error = 1 / (1 + self.precision.double())
        total = error.new_zeros(len(error), len(self.sizes)).index_add(1, self.segment, error)
        return total / self.sizes

    def _wanted(self, share: float) -> Tensor:
        """How many leading values of each segment are sent again: those that cost most per value, as many as fit."""
        n = self.air.channel.receivers
        cost = (self._noise() * self.weight / self.sizes).unflatten(0, (-1, n)).sum(1).repeat_interleave(n, 0)
        order = cost.argsort(-1, descending=True)
        travelling = torch.tensor(self.plan.travelling)
        sizes = travelling[order]
        quota = math.floor(share * int(travelling.sum()))
        fitting = (quota - (sizes.cumsum(-1) - sizes)).clamp(min=0).minimum(sizes)
        return torch.zeros_like(fitting).scatter(1, order, fitting)


def _paired(normal: Float[Tensor, "n"]) -> tuple[Complex[Tensor, "1 symbols"], float]:
    """Values of about unit variance as symbols of power at most 1, and what they were divided by."""
    padded = torch.nn.functional.pad(normal, (0, normal.numel() % 2))
    level = max(1.0, float(padded.square().mean().sqrt()) * (1 + 1e-6))
    return torch.view_as_complex(padded.view(1, -1, 2) / (math.sqrt(2) * level)), level


def _kept(now: Decoded, before: Decoded, waiting: Tensor) -> Decoded:
    """Who has left keeps what it had."""
    assert isinstance(now.values, Tensor)
    assert isinstance(before.values, Tensor)
    return replace(now, values=torch.where(waiting.to(now.values.device).unsqueeze(-1), now.values, before.values))


def _analog(choice: Choice) -> AnalogLink:
    if not isinstance(choice.link, AnalogLink):
        raise TypeError(
            f"Repetition repeats values of an AnalogLink, got {type(choice.link).__name__}: use HARQ or InLayers"
        )
    return choice.link
