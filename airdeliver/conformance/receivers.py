"""Does an analog receiver keep its contract: finite, no worse than the observations, exact without noise?"""

import math
from collections.abc import Iterator

import torch

from airdeliver.conformance.bench import Bench, off_centre, tensor_faults
from airdeliver.links.analog.receiver import Receiver

_WORSE = 1.1  # times the noise of the observations
_EXACT = 1e-3  # mean squared error without noise


def examine_receiver(receiver: Receiver, bench: Bench) -> Iterator[str]:
    """One line for each fault of `measure` and `estimate` at the SNRs of the bench."""
    values, prior = bench.values(), None
    if receiver.numbers:
        prior = receiver.measure([values])
        wrong = list(tensor_faults("measure", prior, (1, receiver.numbers), torch.uint8))
        if wrong:
            yield from wrong
            return
        prior = prior if receiver.shared else prior.expand(bench.n, -1)
    shape = (bench.realizations, bench.n)
    for snr_db, snr in [*bench.linear(), (math.inf, math.inf)]:
        where = f"at {snr_db:g} dB" if math.isfinite(snr_db) else "without noise"
        observed = values + bench.noise(*shape) / math.sqrt(snr)
        variance = torch.full((bench.realizations, 1), 1 / snr)
        kept = observed.clone()
        found = receiver.estimate(observed, variance, prior)
        faults = list(tensor_faults("estimate", found, shape))
        if not faults:
            if not torch.allclose(receiver.estimate(kept, variance.expand(shape), prior), found, atol=1e-3):
                faults.append("estimate depends on whether noise variances are given once or for each value")
            error = found - values
            worst = _WORSE / snr + (0 if math.isfinite(snr) else _EXACT)
            mse, bias = float(error.double().square().mean()), off_centre(error)
            if bias is not None:
                faults.append(f"estimates have a bias: {bias:+.3g} on average, of values of unit variance")
            elif mse > worst:
                faults.append(f"estimates have mean squared error {mse:.3g}, what is observed has {1 / snr:.3g}")
        if faults:
            yield from (f"{where} {fault}" for fault in faults)
            return
    nothing = receiver.estimate(torch.zeros(shape), torch.full((bench.realizations, 1), torch.inf), prior)
    yield from tensor_faults("estimate where nothing arrives (observation 0, noise infinite)", nothing, shape)
