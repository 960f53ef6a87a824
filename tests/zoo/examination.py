"""What every network of the catalogue is put through, and one row of the published table."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from airdeliver import AnalogLink, BudgetError, DigitalLink, deliver, prune
from airdeliver.links import Knowledge
from airdeliver.payload import Layout, Payload, architecture_of, layout_of, load, payload_of
from channels import AWGN
from tests.zoo.catalogue import CATALOGUE, Entry, Inputs, said

LINK = AnalogLink(receiver="zero_forcing", side_information_rate=3.0)
"""Noise on symbols is noise on values, of known variance; means and scales at the rate that 10 dB carries."""

AMPLE = 10**7
"""Channel uses that hold any of them."""


@dataclass(frozen=True)
class Row:
    """What is published of a network.

    Args:
        name: of the architecture.
        values: in its payload.
        groups: of channels that it can lose.
        half: what pruning to half of the budget gives: the share that is used, or why it is refused.
        fifth: the same for a fifth.
        whole: which layers stay whole, and why.
    """

    name: str
    values: int
    groups: int
    half: str
    fifth: str
    whole: str


def examined(name: str) -> Row:
    """Put a torch network through everything.

    Raises:
        AssertionError: something is not as it should be.
    """
    entry = CATALOGUE[name]
    model, inputs = entry.model(), entry.examples(3)
    check_payload(entry, model, inputs)
    check_delivery(model, inputs, said)
    check_digital(model)
    return pruned_row(name, model, inputs)


def check_payload(entry: Entry, model: nn.Module, inputs: Inputs) -> None:
    """All that was learned travels and nothing else, bit for bit."""
    payload, learned = payload_of(model), entry.travelling(model)
    assert set(payload.layout.names) == set(learned)
    blank = architecture_of(model)
    for tensor_name, tensor in blank.state_dict().items():
        if tensor_name in learned:
            assert bool(tensor.isnan().all()), f"{tensor_name} reaches the receiver unsent"
    load(blank, payload.layout, payload.values)
    for tensor_name, tensor in blank.state_dict().items():
        if not tensor_name.endswith("num_batches_tracked"):
            assert torch.equal(tensor, model.state_dict()[tensor_name]), tensor_name
    assert all(torch.equal(a, b) for a, b in zip(said(blank, inputs), said(model, inputs), strict=True))


def check_delivery(model: Any, inputs: Any, answer: Callable[[Any, Any], list[Tensor]]) -> None:
    """At 100 dB the receiver's network answers as the sender's; at 10 dB values are off by what the noise is."""
    near = deliver(model, LINK, AWGN(), 100.0, AMPLE, realizations=1, normalisation="frozen")
    for ours, theirs in zip(answer(model, inputs), answer(near.model(0), inputs), strict=True):
        assert (ours - theirs).norm() <= 2e-3 * ours.norm()
    far = deliver(model, LINK, AWGN(), 10.0, AMPLE, realizations=16, seed=1, normalisation="frozen")
    (group,) = far.groups
    assert bool(group.decoded.usable.all())
    values = payload_of(model, statistics=True).values
    errors, count = 0.0, 0
    for sent, scale, arrived in zip(
        group.layout.split(values[None]), group.plan.scale, group.layout.split(group.decoded.values), strict=True
    ):
        if scale > 0:
            errors += float(((arrived - sent) / scale).square().sum())
            count += arrived.numel()
    # A symbol of power 1 carries two values: each has noise of half the symbol's, relative to half of its power.
    assert abs(errors / count - 0.1) <= 5 * 0.1 * math.sqrt(2 / count)


def check_digital(model: Any) -> None:
    """What arrives is what was quantised, within the budget and below what the channel can carry."""
    values = payload_of(model, statistics=True).values
    budget = 2 * len(values) + 4000
    delivery = deliver(
        model, DigitalLink("abstraction"), AWGN(), 10.0, budget, realizations=2, seed=1, normalisation="frozen"
    )
    (group,) = delivery.groups
    bits = 8 * sum(group.plan.lengths)
    assert delivery.channel_uses_spent <= budget
    assert bits <= delivery.channel_uses_spent * math.log2(1 + 10)
    usable = group.decoded.usable
    assert bool(usable.any())
    arrived = group.decoded.values[int(usable.nonzero()[0])]
    assert float((arrived - values).square().mean()) < 0.2 * float(values.square().mean())


def pruned_row(name: str, model: nn.Module, inputs: Inputs) -> Row:
    """Pruned to half and a fifth of what the whole network costs."""
    payload = payload_of(model, statistics=True)
    whole = LINK.plan(payload, None, Knowledge()).symbols
    untouched, tried = prune(model, LINK, whole, inputs, statistics=True), []
    groups = untouched.architecture.groups
    for share in (0.5, 0.2):
        budget = round(share * whole)
        try:
            smaller = prune(model, LINK, budget, inputs, statistics=True)
        except BudgetError as error:
            check_refusal(str(error), bool(groups.fixed))
            least = LINK.plan(generic(untouched, groups.units), None, Knowledge()).symbols
            tried.append(f"refused: {100 * least / whole:.0f} % is the least" if groups.units else "refused")
            continue
        network = smaller.model()
        layout = smaller.architecture.layout(smaller.description, True)
        assert layout == Layout(layout_of(network, True).segments, smaller.description)
        assert [a.shape for a in said(network, inputs)] == [a.shape for a in said(model, inputs)]
        spent = deliver(smaller, LINK, AWGN(), 100.0, budget, 1, normalisation="frozen").channel_uses_spent
        assert spent <= budget
        tried.append(f"{100 * spent / whole:.0f} %")
    return Row(name, payload.layout.size, len(groups.units), tried[0], tried[1], groups.why_fixed)


def check_refusal(message: str, fixed: bool) -> None:
    """One line that says how much is needed, and what stays whole."""
    assert "\n" not in message
    assert "give at least" in message
    assert not fixed or "stays whole" in message


def generic(network: Any, units: tuple[int, ...]) -> Payload:
    """A payload of the smallest network that pruning can leave, none of its values alike."""
    layout = network.architecture.layout_of_counts([1] * len(units), True)
    return Payload(torch.randn(layout.size, generator=torch.Generator().manual_seed(0)), layout)
