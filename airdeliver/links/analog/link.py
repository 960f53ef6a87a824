"""The analog link: parameters, normalised segment by segment, are the symbols."""

import math
from dataclasses import dataclass, replace
from typing import Literal

import torch
from jaxtyping import Complex, Float
from torch import Generator, Tensor

from airdeliver.conversion import Converted, converted, named, optional
from airdeliver.links.analog import pieces
from airdeliver.links.analog.expansion import Expansion, Repetition
from airdeliver.links.analog.plan import AnalogPlan
from airdeliver.links.analog.protection import UNLIMITED, Both, ByExpansion, ByPower, BySize, Demand, Equal, Protection
from airdeliver.links.analog.receiver import MMSE, Laplacian, Mixture, Receiver, ZeroForcing
from airdeliver.links.analog.stream import Stream
from airdeliver.links.base import Decoded, Knowledge, Link, memoryless
from airdeliver.links.foreseen import planned_snr_db
from airdeliver.links.plan import Plan
from airdeliver.payload import Layout, Payload
from channels import Channel, ChannelState, Received

_RECEIVERS = {"mmse": MMSE, "zero_forcing": ZeroForcing, "laplacian": Laplacian, "mixture": Mixture}
_PROTECTIONS = {"equal": Equal, "expansion": ByExpansion, "power": ByPower, "size": BySize, "both": Both}

_ROUNDING = 1e-6
"""Power above 1 that is float32's doing: scales in float16 cannot undo it."""

_ATTEMPTS = 20
"""Steps of raising scales until power is at most 1."""


@dataclass(frozen=True)
class AnalogLink(Link):
    """Sends every value as one or more real channel inputs, so that noise on the symbols is noise on the values.

    With an expansion or a protection, the payload's symbols fill the budget: what is left over is spent on repeating
    values, as the protection says. A budget of 2^48 symbols or more counts as none: every value gets exactly its
    expansion. Without either, every value is half a symbol and the rest of the budget stays unused.

    Args:
        receiver: `mmse`, `zero_forcing`, `laplacian`, `mixture`, or any `Receiver`. A name becomes what it stands for.
        side_information_rate: bits per channel use at which means and scales are sent; a delivery whose mutual
            information is below it loses them and is not usable.
        expansion: how one value becomes several channel inputs; None for one each.
        protection: who gets more of the channel: `equal`, `size`, `expansion`, `power`, `both`, or any `Protection`;
            None for equal. It goes by the payload's sensitivity; without one, noise relative to a segment's variance
            counts the same on every segment, since it is relative to what the layer computes.
        design_snr_db: the SNR in dB that protection assumes of a channel that the sender does not know.
        whole_budget: whether what is left over of the budget is spent on repeating values; else it stays unused.

    Raises:
        ValueError: an unknown receiver or protection, or a rate that is not positive.

    Source: M. Jankowski, D. Gündüz and K. Mikolajczyk, AirNet, arXiv 2105.11166.

    >>> AnalogLink("mmse", protection="size") == AnalogLink(MMSE(), protection=BySize())
    True
    """

    receiver: Converted[Literal["mmse", "zero_forcing", "laplacian", "mixture"] | Receiver, Receiver] = converted(
        named(Receiver, **_RECEIVERS), "mmse"
    )
    side_information_rate: float = 0.25
    expansion: Expansion | None = None
    protection: Converted[
        Literal["equal", "size", "expansion", "power", "both"] | Protection | None, Protection | None
    ] = converted(optional(named(Protection, **_PROTECTIONS)), None)
    design_snr_db: float = 5.0
    whole_budget: bool = True

    def __post_init__(self) -> None:
        if not self.side_information_rate > 0:
            raise ValueError(
                f"side_information_rate must be above 0 bit per channel use, got {self.side_information_rate}"
            )

    @property
    def weighs_sensitivity(self) -> bool:
        """Whether the protection asks how sensitive segments are."""
        return self.protection is not None and not isinstance(self.protection, Equal | BySize)

    @property
    def fills(self) -> bool:
        """Whether the payload's symbols fill the budget."""
        return self.expansion is not None or self.protection is not None

    def plan(self, payload: Payload, symbols: int | None, knowledge: Knowledge) -> AnalogPlan:  # noqa: D102
        plan = self._measure(payload.values, payload.layout)
        plan.check_budget(symbols)
        if not self.fills:
            return plan
        known_db = planned_snr_db(knowledge, UNLIMITED if symbols is None else symbols)
        snr_db = self.design_snr_db if known_db is None else known_db
        demand = self._demand(plan, payload, UNLIMITED if symbols is None else symbols, 10 ** (snr_db / 10))
        if symbols is None or symbols >= UNLIMITED or not plan.sent or not self.whole_budget:
            plan = plan.granting(plan.payload_symbols)
        else:
            table = self._protection.allocate(demand)
            plan = replace(plan, allocation=table.scattered(plan.sent, len(plan.layout.sizes), plan.inputs))
            plan = plan.granting(symbols - plan.side_information_symbols)
        return self._within_power(self._with_forecast(plan, payload, demand), payload.values)

    def threshold(self, plan: AnalogPlan) -> float:  # noqa: D102
        return plan.side_information_rate

    def reserve(self, layout: Layout) -> int:
        """What telling the protection's table costs."""
        return math.ceil(8 * self._protection.table(len(layout.segments)) / self.side_information_rate)

    def refresh(self, plan: AnalogPlan, payload: Payload) -> AnalogPlan:  # noqa: D102
        fresh = self._measure(payload.values, payload.layout)
        fresh = replace(fresh, allocation=plan.allocation, granted=plan.granted)
        return self._within_power(fresh, payload.values)

    def plan_from_bytes(self, side_information: bytes, layout: Layout) -> AnalogPlan:  # noqa: D102
        return AnalogPlan.from_bytes(
            side_information,
            layout,
            self.side_information_rate,
            self._expansion.inputs,
            self.receiver.numbers,
            self.receiver.shared,
            self._protection.by_size,
        )

    def encode(self, values: Float[Tensor, "n"], plan: AnalogPlan) -> Complex[Tensor, "1 symbols"]:
        """Normalise each segment to unit variance, expand its values, and pair channel inputs into symbols."""
        mean, scale = plan.spread(values)
        stream = plan.stream(values.device)
        # Two channel inputs, each of mean square 1/2, make a symbol of power 1.
        normal = (values - mean).div_(scale)
        parts = [
            self._expansion.at(group.inputs).expand(group.take(normal)) * math.sqrt(group.power / 2)
            for group in stream.groups
        ]
        real = stream.merge(parts) if parts else values[:0]
        if real.numel() < 2 * plan.payload_symbols:
            real = torch.nn.functional.pad(real, (0, 2 * plan.payload_symbols - real.numel()))
        return torch.view_as_complex(real.view(1, -1, 2))

    def decode(self, received: Received, plan: AnalogPlan) -> Decoded:
        """Equalise to unbiased observations of the channel inputs, combine, estimate, and undo the normalisation."""
        if self.fills and not plan.granted:
            plan = plan.granting(received.samples.shape[-1])
        values = self.estimate(received, plan)
        uses = torch.full((len(values),), plan.symbols, device=values.device)
        # With the side information, which `send` answers for, something usable always arrives.
        return Decoded(values, torch.ones(len(values), dtype=torch.bool, device=values.device), uses)

    def estimate(self, received: Received, plan: AnalogPlan) -> Float[Tensor, "realizations n"]:
        """What `decode` makes of the samples, by a plan that says how many symbols were filled."""
        stream = plan.stream(received.samples.device)
        if not stream.groups:
            return plan.spread(received.gain)[0].expand(len(received.samples), -1)
        return self.conclude(*self._observations(received, stream), plan)

    def observe(
        self, received: Received, plan: AnalogPlan
    ) -> tuple[Float[Tensor, "realizations travelling"], Float[Tensor, "realizations #travelling"]]:
        """Unbiased observations of the values that travel, normalised, and the variance of their noise.

        Args:
            received: samples of the payload.
            plan: the receiver's, which says how many symbols were filled.
        """
        return self._observations(received, plan.stream(received.samples.device))

    def conclude(
        self,
        observed: Float[Tensor, "realizations travelling"],
        noise_variance: Float[Tensor, "realizations #travelling"],
        plan: AnalogPlan,
    ) -> Float[Tensor, "realizations n"]:
        """Values from observations of those that travel, of one delivery or combined from several.

        Args:
            observed: unbiased, of normalised values.
            noise_variance: of their noise, relative to the values' unit variance; infinite where nothing is known.
            plan: the receiver's.
        """
        mean, scale = plan.spread(observed)
        estimated = self.receiver.estimate(observed, noise_variance, self._prior(plan))
        return _affine(plan.stream(observed.device).scatter(estimated, plan.layout.size), scale, mean)

    def send(  # noqa: D102
        self,
        values: Float[Tensor, "n"],
        plan: Plan,
        layout: Layout,
        channel: Channel,
        state: ChannelState,
        generator: Generator,
    ) -> Decoded:
        if plan.layout.size < pieces.LARGE or not memoryless(channel, state) or not isinstance(plan, AnalogPlan):
            return super().send(values, plan, layout, channel, state, generator)
        return pieces.send(self, self.estimate, values, plan, layout, state, generator)

    @property
    def _protection(self) -> Protection:
        return Equal() if self.protection is None else self.protection

    @property
    def _expansion(self) -> Expansion:
        return Repetition(1) if self.expansion is None else self.expansion

    def _observations(self, received: Received, stream: Stream) -> tuple[Tensor, Tensor]:
        """Observations of the values that travel, and the variance of their noise relative to unit variance."""
        observed, noise_variance = equalise(received)
        combined = []
        for group, inputs, noise in zip(stream.groups, stream.separate(observed), stream.separate(noise_variance)):
            if group.power == 0:
                inputs, noise = inputs * 0, torch.full_like(noise, torch.inf)
            elif group.power != 1:
                inputs, noise = inputs / math.sqrt(group.power), noise / group.power
            combined.append(self._expansion.at(group.inputs).combine(inputs, noise))
        observations, variances = zip(*combined)
        return stream.assemble(observations), stream.assemble(variances)

    def _measure(self, values: Float[Tensor, "n"], layout: Layout) -> AnalogPlan:
        """Mean, scale and prior of every segment; every value gets its expansion, and no more."""
        plan = AnalogPlan.measure(
            values, layout, self.side_information_rate, self._expansion.inputs, self._protection.by_size
        )
        if not self.receiver.numbers:
            return plan
        mean, scale = plan.spread(values)
        segments = layout.split((values.detach() - mean) / scale)
        rows = 1 if self.receiver.shared else len(segments)
        prior = torch.zeros(rows, self.receiver.numbers, dtype=torch.uint8, device=values.device)
        if plan.sent:
            places = [0] if self.receiver.shared else list(plan.sent)
            prior[places] = self.receiver.measure([segments[i] for i in plan.sent])
        return replace(plan, prior=prior)

    def _prior(self, plan: AnalogPlan) -> Tensor | None:
        """The numbers of its segment for every value that travels."""
        if plan.prior is None or plan.shares_prior:
            return plan.prior
        travelling = torch.tensor(plan.travelling, device=plan.prior.device)
        return plan.prior.repeat_interleave(travelling, dim=0)

    def _demand(self, plan: AnalogPlan, payload: Payload, symbols: int, snr: float) -> Demand:
        untold = len(plan.layout.description) + len(plan.to_bytes())
        sizes = tuple(plan.layout.sizes[i] for i in plan.sent)
        weight = (1.0,) * len(sizes)
        if payload.sensitivity is not None:
            # In float64: float32 holds the squares of few scales.
            loss = payload.sensitivity.to(plan.scale.device).double() * plan.scale.double().square()
            weight = tuple(loss[list(plan.sent)].clamp(min=0).tolist())

        def reals(table: int) -> int:
            return 2 * (symbols - math.ceil(8 * (untold + table) / self.side_information_rate))

        return Demand(sizes, weight, self._expansion, plan.published, snr, reals)

    def _with_forecast(self, plan: AnalogPlan, payload: Payload, demand: Demand) -> AnalogPlan:
        noise = torch.zeros_like(plan.scale)
        if plan.sent:
            errors = demand.errors(plan.allocated.selected(plan.sent), 2 * plan.payload_symbols)
            noise[list(plan.sent)] = torch.tensor(errors, dtype=noise.dtype, device=noise.device)
        return replace(
            plan, sensitivity=payload.sensitivity, expected_noise=noise.double() * plan.scale.double().square()
        )

    def _within_power(self, plan: AnalogPlan, values: Float[Tensor, "n"]) -> AnalogPlan:
        """Larger scales, where a segment's channel inputs would have a mean square above 1.

        The values that are sent more often may be larger than the others, and an expansion that is not linear may
        make more of large values than of typical ones.
        """
        if not self.fills or (self._expansion.isometric and plan.uniform):
            return plan
        for _ in range(_ATTEMPTS):
            excess = self._mean_square(plan, values)
            if bool((excess <= 1 + _ROUNDING).all()):
                return plan
            plan = plan.scaled(excess.clamp(min=1).sqrt() if self._expansion.isometric else excess.clamp(min=1))
        raise ValueError(f"{self._expansion} makes channel inputs of power above 1, whatever the scale of its values")

    def _mean_square(self, plan: AnalogPlan, values: Float[Tensor, "n"]) -> Float[Tensor, "segments"]:
        """Mean square of the channel inputs of each segment, before its power is applied."""
        if plan.layout.size >= pieces.LARGE:
            return pieces.mean_square(plan, values, lambda normal, k: self._expansion.at(k).expand(normal))
        mean, scale = plan.spread(values)
        normal = (values.detach() - mean) / scale
        energy, count = torch.zeros_like(normal), torch.zeros_like(normal)
        for group in plan.stream(values.device).groups:
            taken = group.take(normal)
            square = taken.square() * group.inputs
            if not self._expansion.isometric:
                square = self._expansion.at(group.inputs).expand(taken).square().sum(0)
            where = slice(None) if group.values is None else group.values
            energy[where], count[where] = square, float(group.inputs)
        pairs = zip(plan.layout.split(energy), plan.layout.split(count))
        return torch.stack([e.sum() / c.sum().clamp(min=1) for e, c in pairs])


def _affine(
    values: Float[Tensor, "realizations n"], scale: Float[Tensor, "n"], mean: Float[Tensor, "n"]
) -> Float[Tensor, "realizations n"]:
    """Undo the normalisation; in place if no gradient is wanted, since fresh memory costs as much as the sum."""
    if values.requires_grad:
        return torch.addcmul(mean, values, scale)
    if scale.stride(0) == 0:  # of one segment alone: addcmul would take three times as long
        return values.mul_(scale).add_(mean)
    return torch.addcmul(mean, values, scale, out=values)


def equalise(
    received: Received,
) -> tuple[Float[Tensor, "realizations values"], Float[Tensor, "realizations #values"]]:
    """Unbiased observations of the real channel inputs, of mean square 1, that the symbols carry.

    Returns:
        Observations, two a symbol, and the variance of their noise per real channel input, relative to the inputs'
        mean square: the noise variance per complex symbol over |h|^2. Where the gain is 0 they are 0 and infinite.
    """
    power = received.gain.abs().square()
    inverse = torch.where(power > 0, received.gain.conj() / power, 0.0) * math.sqrt(2)
    observed = torch.view_as_real(received.samples * inverse).flatten(-2)
    noise_variance = torch.where(power > 0, received.noise_variance / power, torch.inf)
    if noise_variance.shape[-1] > 1:
        noise_variance = noise_variance.repeat_interleave(2, dim=-1)
    return observed, noise_variance
