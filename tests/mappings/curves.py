"""Signal-to-distortion ratio of mappings of one Gaussian value over several real channel inputs, in dB."""

import math
from collections.abc import Callable

import numpy as np
import torch
from scipy.optimize import brentq
from scipy.stats import norm
from torch import Generator, nn

from airdeliver.links.analog import Repetition, Spiral

INPUTS, SNRS_DB, SEEDS = (2, 4, 8), (-5.0, 0.0, 5.0, 10.0, 15.0), (0, 1)
FINE = 8.0
"""Bits of an index from which on its cells are as good as flat."""

STEPS, BATCH, WIDTH, JUDGED = 1500, 1024, 48, 200_000


def sdr_db(error: float) -> float:
    """Of a value of unit variance."""
    return -10 * math.log10(error)


def opta(inputs: int, snr_db: float) -> float:
    r"""Optimum performance theoretically attainable: $D = (1 + \mathrm{SNR})^{-k}$ for k real inputs a value.

    Source: C. E. Shannon, Coding theorems for a discrete source with a fidelity criterion, 1959: the rate-distortion
    function of a Gaussian value at the capacity of k real inputs.
    """
    return sdr_db((1 + 10 ** (snr_db / 10)) ** -inputs)


def repetition(inputs: int, snr_db: float) -> float:
    """Each value sent as often."""
    return sdr_db(Repetition(inputs).error(10 ** (snr_db / 10)))


def spiral(inputs: int, snr_db: float) -> float:
    """A spiral in the plane, made for the SNR that its receiver combines copies to, sent again and again."""
    copies = inputs / 2
    return sdr_db(Spiral(min(snr_db + 10 * math.log10(copies), 25.0)).at(inputs).error(10 ** (snr_db / 10)))


def hybrid(inputs: int, snr_db: float) -> float:
    """A coarse index and the remainder: a uniform scalar quantiser, entropy-coded, sent at capacity in all inputs but
    one; what it leaves is sent once, as it is. With an ideal quantiser this would be the optimum."""
    snr = 10 ** (snr_db / 10)
    rate = (inputs - 1) / 2 * math.log2(1 + snr)
    if rate > FINE:  # the remainder is uniform: 1.53 dB above the rate-distortion function
        return sdr_db(math.pi * math.e / 6 * 2 ** (-2 * rate) / (1 + snr))
    step = brentq(lambda x: _entropy_and_remainder(x)[0] - rate, 0.01, 16.0)
    return sdr_db(_entropy_and_remainder(float(step))[1] / (1 + snr))


def _entropy_and_remainder(step: float) -> tuple[float, float]:
    """Bits of the index of a mid-tread quantiser of a Gaussian value, and mean variance within a cell."""
    edges = (np.arange(-math.ceil(9 / step) - 1, math.ceil(9 / step) + 1) + 0.5) * step
    share = np.diff(norm.cdf(edges))
    centre = -np.diff(norm.pdf(edges)) / np.maximum(share, 1e-300)
    kept = share > 1e-15
    entropy = -float((share[kept] * np.log2(share[kept])).sum())
    return entropy, 1 - float((share[kept] * centre[kept] ** 2).sum())


def learned(inputs: int, snr_db: float, seed: int) -> float:
    """Encoder and decoder of two hidden layers, trained together on the Gaussian source through the channel."""
    generator = Generator().manual_seed(seed)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        encoder, straight, decoder = _network(1, inputs), nn.Linear(1, inputs), _network(inputs, 1)
    noise = math.sqrt(10 ** (-snr_db / 10))

    def error(count: int) -> torch.Tensor:
        value = torch.randn(count, 1, generator=generator)
        sent = encoder(value) + straight(value)
        sent = sent / sent.square().mean().sqrt()
        return (decoder(sent + noise * torch.randn(count, inputs, generator=generator)) - value).square().mean()

    weights = [*encoder.parameters(), *straight.parameters(), *decoder.parameters()]
    optimizer = torch.optim.Adam(weights, 5e-3)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 8e-3, total_steps=STEPS)
    for _ in range(STEPS):
        optimizer.zero_grad()
        error(BATCH).backward()
        optimizer.step()
        schedule.step()
    with torch.no_grad():
        return sdr_db(float(error(JUDGED)))


def _network(inputs: int, outputs: int) -> nn.Sequential:
    return nn.Sequential(
        nn.Linear(inputs, WIDTH), nn.Tanh(), nn.Linear(WIDTH, WIDTH), nn.Tanh(), nn.Linear(WIDTH, outputs)
    )


COMPUTED: dict[str, Callable[[int, float], float]] = {
    "repetition": repetition,
    "spiral": spiral,
    "hybrid": hybrid,
    "opta": opta,
}
"""What is computed at once, by column."""
