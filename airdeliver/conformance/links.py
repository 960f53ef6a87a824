"""Does a link keep its contract: budget, power, side information, and what arrives?"""

import math
from collections.abc import Iterator
from dataclasses import replace

import torch
from torch import Tensor

from airdeliver.budget import BudgetError
from airdeliver.conformance.bench import Bench, tensor_faults
from airdeliver.links import Decoded, Knowledge, Link, Plan
from airdeliver.links.base import generic
from airdeliver.payload import Layout
from channels import AWGN, ChannelState

_POWER = 1e-4  # above 1, beside what chance has of symbols that have power 1 on average
_NOISELESS_DB = 80.0
_DELIVERIES = 3


def examine_link(link: Link, bench: Bench, layout: Layout, symbols: int | None = None) -> Iterator[str]:
    """One line for each fault of a delivery of generic values over AWGN at the SNRs of the bench.

    A network that does not fit is no fault: it is then sent without a bound.

    Args:
        link: what is examined.
        bench: SNRs and seeds.
        layout: of what is sent.
        symbols: the budget; None for as much as it takes.
    """
    payload, channel = generic(layout), AWGN()
    errors: dict[float, float] = {}
    for snr_db in sorted({*(level for level in bench.snr_db if math.isfinite(level)), _NOISELESS_DB}):
        where = f"at {snr_db:g} dB"
        try:
            plan = link.plan(payload, symbols, Knowledge("average", snr_db, channel))
        except BudgetError:
            if symbols is not None:  # what prunes makes it fit; the link is the same
                yield from examine_link(link, bench, layout)
            return
        faults = list(_plan_faults(link, plan, layout, symbols))
        if not faults:
            values = payload.values
            state = channel.realize(_DELIVERIES, plan.symbols, snr_db, bench.generator(3))
            found, same = (_held(link.send(values, plan, layout, channel, state, bench.generator(4))) for _ in range(2))
            faults = list(_decoded_faults(found, _DELIVERIES, layout.size, symbols, plan))
            if not faults and not torch.equal(torch.as_tensor(found.values), torch.as_tensor(same.values)):
                faults.append("the same generator gives other values: something is drawn from elsewhere")
            power = found.power if found.power is not None else link.power(values, plan)
            if not bool((power <= 1 + _POWER + 5 / math.sqrt(plan.payload_symbols)).all()):
                faults.append(f"a delivery has mean power {float(power.max()):.4g}; expected at most 1")
            if not faults and bool(found.usable.any()):
                errors[snr_db] = _relative(found, values)
        if faults:
            yield from (f"{where} {fault}" for fault in faults)
            return
    yield from _shape_of_errors(errors)
    yield from _outage(link, bench, layout, symbols)


def _held(found: Decoded) -> Decoded:
    """The same with its values as one tensor, even if no row of them is held."""
    return replace(found, values=torch.stack([found.values[row] for row in range(len(found.values))]))


def _plan_faults(link: Link, plan: Plan, layout: Layout, symbols: int | None) -> Iterator[str]:
    if symbols is not None and plan.symbols > symbols:
        yield f"the plan takes {plan.symbols} symbols of {symbols}; expected a BudgetError"
    told = plan.to_bytes()
    if not isinstance(told, bytes):
        yield f"plan.to_bytes() is {type(told).__name__}; expected bytes"
    elif link.plan_from_bytes(told, layout).to_bytes() != told:
        yield "plan_from_bytes makes another plan of the side information: the receiver does not know what was agreed"


def _decoded_faults(found: Decoded, rows: int, n: int, symbols: int | None, plan: Plan) -> Iterator[str]:
    if tuple(found.usable.shape) != (rows,) or found.usable.dtype != torch.bool:
        yield f"usable is of shape {tuple(found.usable.shape)}, {found.usable.dtype}; expected ({rows},), torch.bool"
        return
    if tuple(found.values.shape) == (rows, n) and bool(found.usable.any()):
        yield from tensor_faults("what is decoded", found.values[found.usable], (int(found.usable.sum()), n))
    elif tuple(found.values.shape) != (rows, n):
        yield f"what is decoded is of shape {tuple(found.values.shape)}; expected ({rows}, {n})"
    if tuple(found.uses.shape) != (rows,) or bool((found.uses < 1).any()):
        yield f"uses must be channel uses of each of {rows} deliveries, got {found.uses.tolist()}"
    elif symbols is not None and int(found.uses.max()) > symbols:
        yield f"spends {int(found.uses.max())} channel uses of {symbols}"


def _relative(found: Decoded, values: Tensor) -> float:
    """Mean squared error of usable deliveries over the variance of the values."""
    assert isinstance(found.values, Tensor)
    error = (found.values[found.usable] - values).double()
    return float(error.square().mean() / values.double().var())


def _shape_of_errors(errors: dict[float, float]) -> Iterator[str]:
    if _NOISELESS_DB not in errors:
        yield f"nothing usable arrives at {_NOISELESS_DB:g} dB, where there is next to no noise"
        return
    least = errors[_NOISELESS_DB]
    if least > 0.5:
        yield f"values arrive with {least:.3g} times their variance as error at {_NOISELESS_DB:g} dB"
    for snr_db, error in errors.items():
        if least > 1.2 * error + 1e-3:
            yield f"the error at {_NOISELESS_DB:g} dB, {least:.3g}, is larger than {error:.3g} at {snr_db:g} dB"
            return


def _outage(link: Link, bench: Bench, layout: Layout, symbols: int | None) -> Iterator[str]:
    """Nothing arrives: gain 0 throughout."""
    payload, channel = generic(layout), AWGN()
    plan = link.plan(payload, symbols, Knowledge("average", max(bench.snr_db), channel))
    dead = ChannelState(torch.zeros(2, 1, dtype=torch.complex64), torch.ones(2, 1))
    found = link.send(payload.values, plan, layout, channel, dead, bench.generator(5))
    if bool(found.usable.any()):
        yield "a delivery over a channel of gain 0 is called usable: its side information cannot have arrived"
