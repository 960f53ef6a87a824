"""Does a quantiser keep its contract: the same values in training, at the sender and at the receiver?"""

import json
from collections.abc import Iterator

import torch
from torch import Tensor

from airdeliver.compression.codec import Levels, RangeCoded
from airdeliver.compression.quantisers import Quantiser
from airdeliver.compression.quantisers.answers import levels_now, levels_of, rate_of, reconstructed, state_of
from airdeliver.compression.quantisers.base import State
from airdeliver.conformance.bench import Bench, layout_like
from airdeliver.payload import Layout, Payload

_SPARE = 1.05  # of a size that a quantiser says it meets; estimates of sizes are within


def examine_quantiser(quantiser: Quantiser, bench: Bench) -> Iterator[str]:
    """One line for each fault of `init`, `quantise`, `levels`, `rate`, `fit` and `restore`."""
    layout = layout_like()
    values = torch.randn(layout.size, generator=bench.generator(1)) * 0.1
    kept = values.clone()
    try:
        state = state_of(quantiser, values, layout)
        leaf = values.clone().requires_grad_()
        found = reconstructed(quantiser, leaf, layout, state)
        rate_of(quantiser, values, layout, state)
        levels = levels_now(quantiser, values, layout, state)
        again = levels_now(quantiser, values, layout, state)
    except ValueError as error:
        yield str(error)
        return
    if not torch.equal(values, kept):
        yield "changes the values that it is given: they are the network's"
        return
    error = float((found.detach() - values).square().mean() / values.square().mean())
    if error >= 1:
        yield f"quantised values are {error:.3g} times as far from the values as zeros are"
    gradient = torch.autograd.grad(found.sum(), leaf, allow_unused=True)[0]
    if gradient is None or not bool(gradient.isfinite().all()):
        yield "no finite gradient flows from quantised values to the values: training cannot go through it"
    carried = levels.values()
    if not _alike(again.values(), carried):
        yield "levels are others when asked again for the same values and state: nothing may be drawn or remembered"
    elif not _alike(carried, found.detach()):
        yield "levels(...).values() differ from quantise(...): training meets other values than the receiver"
    if not _alike(RangeCoded().values(RangeCoded().pack(levels).data, layout), carried):
        yield "levels(...).values() differ from what a receiver reads of their container"
    yield from _state_faults(quantiser, values, layout, state, found.detach())
    try:
        yield from _size_faults(quantiser, values, layout)
    except ValueError as error:
        yield str(error)


def _state_faults(quantiser: Quantiser, values: Tensor, layout: Layout, state: State, found: Tensor) -> Iterator[str]:
    restored = quantiser.refresh(values, layout, quantiser.restore(json.loads(json.dumps(state.to_plain())), layout))
    if not _alike(quantiser.quantise(values, layout, restored).detach(), found):
        yield "a state that was written and restored quantises otherwise"


def _size_faults(quantiser: Quantiser, values: Tensor, layout: Layout) -> Iterator[str]:
    """What says that it adapts meets a half and a quarter of the size that it has with much room."""

    def size(levels: Levels) -> float:
        return float(sum(RangeCoded().estimate(levels, 1024)))

    payload = Payload(values, layout)
    ample = size(levels_of(quantiser, payload, None, size, 2.0 * layout.size))
    for share in (0.5, 0.25) if quantiser.adapts else ():
        taken = size(levels_of(quantiser, payload, None, size, share * ample))
        if taken > _SPARE * share * ample:
            yield (
                f"says that it adapts, but takes {taken:.0f} bytes where {share * ample:.0f} are asked for: meet sizes "
                "in `fit`, or say adapts = False"
            )
            return


def _alike(one: Tensor, other: Tensor) -> bool:
    return one.shape == other.shape and torch.allclose(one, other, atol=1e-5, rtol=1e-4)
