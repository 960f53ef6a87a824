"""Does an expansion keep its contract: power, no bias, the noise and the error that it says?"""

import math
from collections.abc import Iterator

import torch
from torch import Tensor

from airdeliver.conformance.bench import SIGMAS, Bench, off_centre, tensor_faults
from airdeliver.links.analog.expansion import Expansion

_POWER = 0.02
_NOISELESS = 1e10  # SNR
_EXACT = 1e-2  # mean squared error without noise
_ERROR = 0.25  # relative; Monte Carlo over a few thousand values and approximations for curves are within


def examine_expansion(expansion: Expansion, bench: Bench) -> Iterator[str]:
    """One line for each fault of `inputs`, `expand`, `combine` and `error` at the SNRs of the bench."""
    inputs, values = expansion.inputs, bench.values()
    if not isinstance(inputs, int) or inputs < 1:
        yield f"inputs must be an integer of at least 1, got {inputs!r}"
        return
    sent = expansion.expand(values)
    wrong = list(tensor_faults("expand(values)", sent, (inputs, bench.n), values.dtype))
    if wrong:
        yield from wrong
        return
    if not torch.equal(sent, expansion.expand(values)):
        yield "expand gives other channel inputs for the same values: it must not draw anything"
    yield from _power(expansion, values, sent)
    faults: list[str] = []
    levels = [*bench.linear(), (math.inf, _NOISELESS)]
    for snr_db, snr in levels:
        where = f"at {snr_db:g} dB" if math.isfinite(snr_db) else "without noise"
        faults = [f"{where} {fault}" for fault in _arrives(expansion, bench, values, sent, snr)]
        if faults:
            break
    yield from faults
    if not faults:
        yield from _outage(expansion, bench, sent)


def _power(expansion: Expansion, values: Tensor, sent: Tensor) -> Iterator[str]:
    square = sent.double().square()
    mean, spread = float(square.mean()), float(square.mean(0).std()) / math.sqrt(len(values))
    if abs(mean - 1) > _POWER + SIGMAS * spread:
        yield f"channel inputs of values of unit variance have mean square {mean:.3g}; expected 1"
    elif expansion.isometric and abs(mean - 1) > 1e-3:
        yield f"says isometric, but channel inputs have {mean:.4g} times the energy of the values"


def _arrives(expansion: Expansion, bench: Bench, values: Tensor, sent: Tensor, snr: float) -> Iterator[str]:
    shape = (bench.realizations, *sent.shape)
    observed = sent + bench.noise(*shape) / math.sqrt(snr)
    given = torch.full((bench.realizations, 1, 1), 1 / snr)
    found, told = expansion.combine(observed, given)
    faults = list(tensor_faults("the first that combine gives", found, (bench.realizations, bench.n)))
    if faults or told.shape[0] != bench.realizations or told.shape[1] not in (1, bench.n) or bool((told < 0).any()):
        yield from faults or [
            f"combine tells noise of shape {tuple(told.shape)}, at least {float(told.min()):.3g}; expected variances, "
            f"({bench.realizations}, 1) or ({bench.realizations}, {bench.n})"
        ]
        return
    again, _ = expansion.combine(observed, given.expand(shape))
    if float((again - found).square().mean()) > 0.01 / snr + 1e-5:
        yield "combine depends on whether noise variances are given once or for each value"
    error = found - values
    bias = off_centre(error)
    if bias is not None:
        yield f"values arrive with a bias: {bias:+.3g} on average, of values of unit variance"
        return
    variance, suffered = float(told.double().mean()), float(error.double().square().mean())
    if variance > 0 and abs(suffered / variance - 1) > _ERROR and abs(suffered - variance) > 1e-6:
        yield f"noise of combined values is {suffered / variance:.2f} times what combine tells"
    estimate = found / (1 + told)
    mse, said = float((estimate - values).double().square().mean()), float(expansion.error(snr))
    if not said >= 0 or not math.isfinite(said):
        yield f"error({snr:.3g}) is {said}; expected a mean squared error of 0 or more"
    elif snr == _NOISELESS:
        if mse > _EXACT:
            yield f"values arrive with a mean squared error of {mse:.3g}, of values of unit variance"
    elif abs(mse - said) > _ERROR * said + 1e-4:
        yield f"the mean squared error of a value is {mse:.3g}, but error({snr:.3g}) says {said:.3g}"


def _outage(expansion: Expansion, bench: Bench, sent: Tensor) -> Iterator[str]:
    """Nothing arrives in the first delivery, everything in the others."""
    given = torch.full((bench.realizations, sent.shape[0], bench.n), 0.1)
    given[0] = torch.inf
    observed = sent.expand(bench.realizations, -1, -1).clone()
    observed[0] = 0
    found, told = expansion.combine(observed, given)
    if not bool(found.isfinite().all()) or bool(told.isnan().any()):
        yield "where nothing arrives (observation 0, noise infinite) combine gives values that are not finite"
