"""Models: what is delivered arrives, is scored, or is refused in one line."""

import copy
import math
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from airdeliver import AnalogLink, BudgetError, CapacityLink, DigitalLink, deliver, evaluate, prune
from airdeliver.links import Link
from channels import AWGN, Channel, Rayleigh, Rician
from tests.fuzz.hidden import SECRETS
from tests.fuzz.networks import Network, random_network
from tests.fuzz.trial import Case, Fault, seeded
from tests.fuzz.twists import twisted

DOCUMENTED = (ValueError, TypeError)
EXACT_DB = 140.0
NEAR = 0.02
"""Of the outputs, that may be off where there is next to no noise: scales and means travel in float16."""


def case(number: int, folder: Path) -> Case:
    """A network with its oddities, delivered without noise (what arrives computes the same) or with it, and scored."""
    chosen = seeded("models", number)
    network = twisted(chosen, random_network(chosen))
    link = chosen.choice(_links())
    channel = chosen.choice(_channels())
    noiseless = chosen.random() < 0.5
    snr_db = EXACT_DB if noiseless else chosen.choice((-20.0, 0.0, 10.0, 60.0))
    normalisation = chosen.choice(("frozen", "frozen", "receiver", "sender"))
    told = {"calibration_inputs": network.inputs} if normalisation == "sender" and chosen.random() < 0.8 else {}
    targets = torch.tensor([0, 1, 2, 0])
    uses = chosen.choice((20_000, 20_000, 20_000, 300))

    def run() -> None:
        outputs = _outputs(network)
        delivery = deliver(
            network.model, link, channel, snr_db, uses, realizations=2, normalisation=normalisation, **told
        )  # fmt: skip
        if not 0 <= delivery.power <= 1.3:
            raise Fault(f"power {delivery.power}")
        usable = bool(delivery.usable_realizations.any())
        if noiseless and isinstance(link, AnalogLink) and normalisation == "frozen" and outputs is not None and usable:
            _same(delivery, network, outputs)
        _scored(delivery, network, targets)

    words = f"{network.words} over {link}, {type(channel).__name__} at {snr_db:g} dB, {normalisation}, {uses} uses"
    return Case(words, run, DOCUMENTED)


def secret(number: int, folder: Path) -> Case:
    """A network that holds something learned where no payload finds it: it is refused."""
    chosen = seeded("secrets", number)
    network = random_network(chosen)
    place = chosen.choice(list(SECRETS))
    learned = torch.randn(3)
    model = SECRETS[place](network.model, learned)
    link = chosen.choice((AnalogLink(), CapacityLink()))

    def run() -> None:
        try:
            delivery = deliver(model, link, AWGN(), 20.0, 20_000, realizations=1, normalisation="frozen")
        except BudgetError as error:
            raise Fault(f"is not refused but as too large: {error}") from error
        raise Fault(f"is not refused: {delivery}")

    return Case(f"{network.words}, and something learned in {place}", run, (ValueError,))


def pruned(number: int, folder: Path) -> Case:
    """A network that is made smaller."""
    chosen = seeded("pruning", number)
    network = twisted(chosen, random_network(chosen))
    uses = chosen.choice((50, 100, 200, 1000, 20_000, 1))
    inputs = chosen.choice(
        (network.inputs,) * 6 + (None, torch.randn(1), network.inputs[:0], (network.inputs,) * 2, "x")
    )

    def run() -> None:
        trained = prune(network.model, chosen.choice((AnalogLink(), CapacityLink())), uses, inputs)
        delivery = deliver(
            trained, AnalogLink(), AWGN(), 20.0, 10 * uses + 2000, realizations=1, normalisation="frozen"
        )
        _scored(delivery, network, torch.tensor([0, 1, 2, 0]))

    return Case(f"prune {network.words} to {uses} uses", run, DOCUMENTED)


def _links() -> list[Link]:
    return [
        AnalogLink(), AnalogLink(), AnalogLink(receiver="zero_forcing"), AnalogLink(protection="size"),
        AnalogLink(protection="expansion"), AnalogLink(receiver="mixture"), DigitalLink(), DigitalLink("capacity"),
        CapacityLink(),
    ]  # fmt: skip


def _channels() -> list[Channel]:
    return [AWGN(), AWGN(), AWGN(), Rayleigh(), Rayleigh(coherence=10), Rician(3.0)]


@torch.no_grad()
def _outputs(network: Network) -> Tensor | None:
    """What the sender's network answers, where that is one finite tensor and always the same."""
    try:
        if any(t.is_meta for t in (*network.model.parameters(), *network.model.buffers())):
            return None
        twin = copy.deepcopy(network.model)
        one, two = (twin.eval()(network.inputs) for _ in range(2))
    except Exception:  # Models of all kinds: many cannot compute.
        return None
    if not isinstance(one, Tensor) or one.is_sparse or not torch.equal(one, two) or not bool(one.isfinite().all()):
        return None
    return one


@torch.no_grad()
def _same(delivery: Any, network: Network, outputs: Tensor) -> None:
    row = int(delivery.usable_realizations.int().argmax())
    found = delivery.model(row)(network.inputs)
    if found.dtype != outputs.dtype:
        raise Fault(f"answers in {found.dtype}, the sender's in {outputs.dtype}")
    exact = outputs.dtype in (torch.float32, torch.float64)
    error = float((found.double() - outputs.double()).norm()) if outputs.is_floating_point() else 0.0
    size = float(outputs.double().norm()) if outputs.is_floating_point() else 0.0
    if not error <= (NEAR if exact else 0.2) * size + 1e-6:
        raise Fault(
            f"what arrives without noise answers {found.flatten()[:4].tolist()}, "
            f"the sender's {outputs.flatten()[:4].tolist()}"
        )


def _scored(delivery: Any, network: Network, targets: Tensor) -> None:
    report = evaluate(delivery, network.inputs, targets)
    numbers = (report.accuracy, report.low, report.high, report.channel_low, report.channel_high)
    if not all(math.isfinite(n) and 0 <= n <= 1 for n in numbers) or not report.low <= report.accuracy <= report.high:
        raise Fault(f"scores {numbers}")
