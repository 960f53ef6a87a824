"""What a delivery costs: the network that arrives, the bits and the time on the air, the energy of both."""

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, fields

import numpy as np
import torch
from torch import Tensor, nn

from airdeliver.compression.bands import bands_of
from airdeliver.compression.codec import Codebook, Levels
from airdeliver.cost import Carrier, Energy, NetworkCost, latency, network_cost
from airdeliver.delivery import Delivery, Group
from airdeliver.links import Plan
from airdeliver.links.digital import DigitalLink, DigitalPlan
from airdeliver.models.dynamic import Dynamic
from airdeliver.payload import load
from airdeliver.randomness import stream


@dataclass(frozen=True)
class DeliveryCost:
    """What a delivery costs, the mean over its realizations; not a number where it cannot be said.

    Args:
        parameters: learned values of the network at the receiver, those that were not sent included.
        nonzeros: of these, how many are not 0.
        macs: multiply-accumulates of one inference.
        effective_macs: those with a weight that is not 0.
        bit_operations: multiply-accumulates times the bits of both operands, 32 for values that are no levels.
        activation_bytes: most memory of one inference beside the weights, in binary32.
        inference_joules: energy of one inference, zeros stored and multiplied as any other value.
        effective_inference_joules: the same on hardware that neither stores nor multiplies zeros.
        container_bits: of the container that was sent; not a number where values are sent as they are.
        milliseconds: on the air, on one carrier, and waiting for answers.
        transmit_joules: radiated, at a mean power of 1 W where the power of a delivery is 1.
        latency_seconds: of one inference, measured on this machine.
        uses_per_inference: channel uses of one inference, the mean that is expected; 0 for a network that answers by
            itself. What else is said of the network is said of what was delivered: of a network that was split, the
            device's part.
    """

    parameters: float
    nonzeros: float
    macs: float
    effective_macs: float
    bit_operations: float
    activation_bytes: float
    inference_joules: float
    effective_inference_joules: float
    container_bits: float
    milliseconds: float
    transmit_joules: float
    latency_seconds: float
    uses_per_inference: float


COSTS = tuple(field.name for field in fields(DeliveryCost))
"""Names of the columns that a table has of it."""


def delivery_cost(
    delivery: Delivery,
    example: Tensor,
    carrier: Carrier | None = None,
    energy: Energy | None = None,
    paths: Mapping[str, float] | None = None,
) -> DeliveryCost:
    """The mean cost of the deliveries.

    Each network is counted as the first realization of its group has it of which something usable arrived, on a CPU. A
    dynamic network costs the mean over the paths that examples take.

    Args:
        delivery: what arrived.
        example: one prepared input, a batch of one.
        carrier: that symbols are sent on; None for 20 MHz.
        energy: of each operation; None for 45 nm.
        paths: share of the examples that take each path of a dynamic network, by its name, as an evaluation reports
            it; None or empty for all alike.
    """
    carrier, energy = carrier or Carrier(), energy or Energy()
    counted: dict[Hashable, list[tuple[float, NetworkCost, float]]] = {}
    rows, shares = [], []
    for group in delivery.groups:
        key = (id(group.architecture), group.description, _levels(group.plan))
        if key not in counted:
            counted[key] = _of_network(group, example.cpu(), paths or {})
        priced = carrier, energy, delivery.turnaround_ms
        along = [(share, _row(group, cost, seconds, *priced)) for share, cost, seconds in counted[key]]
        rows.append([sum(share * row[i] for share, row in along) for i in range(len(COSTS))])
        shares.append(len(group.realizations))
    return DeliveryCost(*(float(mean) for mean in np.average(np.array(rows, dtype=np.float64), axis=0, weights=shares)))


def served_uses(delivery: Delivery, inputs: Tensor, most: int = 40_000) -> float:
    """Channel uses of an inference, counted while inputs are served by some of the deliveries; 0 without a server.

    Args:
        delivery: what arrived.
        inputs: prepared.
        most: inputs that are served in all, by the first deliveries of which something usable arrived, each all of
            them; by four deliveries at least.
    """
    if all(group.serving is None for group in delivery.groups):
        return 0.0
    arrived = torch.nonzero(delivery.usable_realizations).flatten().tolist()[: max(4, most // len(inputs))]
    device = delivery.groups[0].decoded.values.device
    counted = [delivery.serve(inputs, stream(delivery.seed, "features", k, device), k).uses for k in arrived]
    return float(torch.stack(counted).double().mean()) if counted else float("nan")


def level_bits(levels: Levels) -> dict[str, int]:
    """Bits of the integers that the levels of each segment are, by its name: as many as number them all.

    Those of a codebook are the bits of an index: arithmetic needs a table.

    Args:
        levels: a payload as integers.
    """
    bands, found = bands_of(levels.layout), {}
    parts = zip(bands.members, levels.runs(), levels.reconstructions, strict=True)
    for members, run, reconstruction in parts:
        if isinstance(reconstruction, Codebook):
            bits = max(1, (len(reconstruction.entries) - 1).bit_length())
        else:
            numbers = np.asarray(run)
            bits = max(1, (int(numbers.max(initial=0)) - int(numbers.min(initial=0))).bit_length())
        for index in members:
            found[levels.layout.names[index]] = bits
    return found


def _levels(plan: Plan) -> Hashable:
    """What tells networks of one description apart: how finely they were quantised."""
    return (plan.grade, plan.lengths) if isinstance(plan, DigitalPlan) else None


def _sent(group: Group) -> Levels | None:
    """The levels that were sent; None of an analog link."""
    if isinstance(group.link, DigitalLink) and isinstance(group.plan, DigitalPlan):
        return group.link.levels(group.plan)
    return None


@torch.no_grad()
def _of_network(group: Group, example: Tensor, paths: Mapping[str, float]) -> list[tuple[float, NetworkCost, float]]:
    """Of each path through the network: its share, what it costs, and the measured seconds."""
    model = group.network()
    if not isinstance(model, nn.Module):
        return [(1.0, NetworkCost(0, 0, 0, (), 0), float("nan"))]
    usable = torch.nonzero(group.decoded.usable).flatten().tolist()
    if usable:
        load(model, group.layout, group.decoded.values[usable[0]].cpu())
    levels = _sent(group)
    bits = {} if levels is None else level_bits(levels)
    if not isinstance(model, Dynamic):
        return [(1.0, network_cost(model, example, bits), latency(model, example))]
    shares = [paths.get(name, 0.0) for name in model.paths]
    shares = shares if sum(shares) else [1 / len(shares)] * len(shares)
    each = (model.along(path) for path in range(len(shares)))
    return [(share, network_cost(one, example, bits), latency(one, example)) for share, one in zip(shares, each)]


def _row(
    group: Group, cost: NetworkCost, seconds: float, carrier: Carrier, energy: Energy, turnaround_ms: float
) -> Sequence[float]:
    known = 1.0 if cost.layers else float("nan")  # a Keras model is not counted
    container = 8.0 * sum(group.plan.lengths) if isinstance(group.plan, DigitalPlan) else float("nan")
    waited = group.turnarounds * turnaround_ms
    milliseconds = carrier.milliseconds(float(group.decoded.uses.double().mean())) + waited
    joules = float((group.power.double() * group.decoded.uses.double()).mean()) / carrier.uses_per_millisecond / 1000
    own = (cost.parameters, cost.nonzeros, cost.macs, cost.effective_macs, cost.bit_operations, cost.activation_bytes)
    energies = cost.joules(energy), cost.joules(energy, skip_zeros=True)
    each = 0.0 if group.serving is None else group.serving.uses
    return (*(known * value for value in (*own, *energies)), container, milliseconds, joules, seconds, each)
