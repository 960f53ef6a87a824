"""Does a quantiser keep its contract: the same values in training, at the sender and at the receiver?"""

import json
from collections.abc import Iterator

import torch

from airdeliver.compression.quantisers import Quantiser
from airdeliver.conformance.bench import Bench, layout_like, tensor_faults


def examine_quantiser(quantiser: Quantiser, bench: Bench) -> Iterator[str]:
    """One line for each fault of `init`, `quantise`, `levels`, `rate` and `restore`."""
    layout = layout_like()
    values = torch.randn(layout.size, generator=bench.generator(1)) * 0.1
    state = quantiser.init(values, layout)
    leaf = values.clone().requires_grad_()
    found = quantiser.quantise(leaf, layout, state)
    wrong = list(tensor_faults("quantise", found.detach(), (layout.size,)))
    if wrong:
        yield from wrong
        return
    error = float((found.detach() - values).square().mean() / values.square().mean())
    if error >= 1:
        yield f"quantised values are {error:.3g} times as far from the values as zeros are"
    gradient = torch.autograd.grad(found.sum(), leaf, allow_unused=True)[0] if found.requires_grad else None
    if gradient is None or not bool(gradient.isfinite().all()):
        yield "no finite gradient flows from quantised values to the values: training cannot go through it"
    carried = quantiser.levels(values, layout, state).values()
    if carried.shape != values.shape or not torch.allclose(carried, found.detach(), atol=1e-5, rtol=1e-4):
        yield "levels(...).values() differ from quantise(...): training meets other values than the receiver"
    plain = state.to_plain()
    restored = quantiser.refresh(values, layout, quantiser.restore(json.loads(json.dumps(plain)), layout))
    if not torch.allclose(quantiser.quantise(values, layout, restored).detach(), found.detach(), atol=1e-5, rtol=1e-4):
        yield "a state that was written and restored quantises otherwise"
    rate = quantiser.rate(values, layout, state)
    if rate.ndim or not bool(rate.isfinite()) or float(rate) < 0:
        yield f"rate must be one finite number of bits a value, 0 or more, got {rate.tolist()}"
