"""Does a link keep its contract: budget, power, side information, and what arrives?"""

import math
from collections.abc import Iterator
from dataclasses import dataclass, field, replace

import torch
from torch import Tensor

from airdeliver.budget import BudgetError
from airdeliver.conformance.bench import Bench, tensor_faults
from airdeliver.links import Decoded, Knowledge, KnowledgeKind, Link, Plan
from airdeliver.links.base import generic
from airdeliver.payload import Layout, Payload
from channels import AWGN, Channel, ChannelState, Rayleigh

_POWER = 1e-4  # above 1, beside what chance has of symbols that have power 1 on average
_NOISELESS_DB = 80.0
_DELIVERIES = 3
_FADES = 3
_UNDONE = 0.05  # squared error, over the variance, that a deep fade leaves where there is next to no noise


@dataclass(frozen=True)
class Circumstance:
    """Under which a link is examined.

    Args:
        channel: that it sends over.
        knowledge: what the sender knows of it.
        snr_db: mean SNR in dB.
        realizations: deliveries.
    """

    channel: Channel
    knowledge: KnowledgeKind
    snr_db: float
    realizations: int = _DELIVERIES

    def __str__(self) -> str:
        over = "" if isinstance(self.channel, AWGN) else f" over {type(self.channel).__name__}"
        knowing = "" if self.knowledge == "average" else f" with knowledge {self.knowledge}"
        return f"at {self.snr_db:g} dB{over}{knowing}"


def examine_link(link: Link, bench: Bench, layout: Layout, symbols: int | None = None) -> Iterator[str]:
    """One line for each fault of deliveries of generic values.

    Over AWGN at the SNRs of the bench and where there is next to no noise, by a sender that knows the mean SNR; over
    slow Rayleigh fading at the lowest of them and next to no noise; at the highest where it knows each fade, and where
    it knows nothing of AWGN. A network that does not fit is no fault: it is then sent without a bound.

    Args:
        link: what is examined.
        bench: SNRs and seeds.
        layout: of what is sent.
        symbols: the budget; None for as much as it takes.
    """
    payload = generic(layout)
    planner = _Planner(link.stand_in(), payload)
    budget = _budget(planner, symbols, bench)
    if budget is None:
        return
    errors: dict[float, float] = {}
    for met in _circumstances(bench):
        for found, faults in _deliveries(planner, *budget, met, bench):
            if faults:
                yield from (f"{met} {fault}" for fault in faults)
                return
            if met.knowledge != "average" or not bool(found.usable.any()):
                continue
            error = _relative(found, payload.values)
            if isinstance(met.channel, AWGN):
                errors[met.snr_db] = error
            elif met.snr_db == _NOISELESS_DB and error > errors.get(_NOISELESS_DB, 0.0) + _UNDONE:
                yield f"{met} values arrive with {error:.3g} times their variance as error: fading is not undone"
                return
    yield from _shape_of_errors(errors)
    yield from _outage(planner, bench, budget[0])


@dataclass(frozen=True)
class _Planner:
    """Plans of one link for one payload, each made once: to plan a digital link takes longer than all else here.

    Args:
        link: that is asked.
        payload: that is sent.
        known: plans of senders that know no realized channel.
    """

    link: Link
    payload: Payload
    known: dict[tuple[int | None, Knowledge], Plan] = field(default_factory=dict)

    def plan(self, symbols: int | None, knowledge: Knowledge) -> Plan:
        """As the link plans it; raises what the link raises."""
        if knowledge.state is not None:
            return self.link.plan(self.payload, symbols, knowledge)
        if (symbols, knowledge) not in self.known:
            self.known[symbols, knowledge] = self.link.plan(self.payload, symbols, knowledge)
        return self.known[symbols, knowledge]


def _budget(planner: _Planner, symbols: int | None, bench: Bench) -> tuple[int | None, int] | None:
    """The given bound and symbols that the channel is drawn for, or the next that it fits; None if it fits nowhere."""
    ample = planner.payload.layout.size + 2**12
    for bound in dict.fromkeys((symbols, None, ample)):
        try:
            plan = planner.plan(bound, Knowledge("average", max(bench.snr_db), AWGN()))
        except BudgetError:
            continue
        return bound, bound or plan.symbols
    return None


def _circumstances(bench: Bench) -> Iterator[Circumstance]:
    levels = sorted({level for level in bench.snr_db if math.isfinite(level)})
    yield from (Circumstance(AWGN(), "average", level) for level in sorted({*levels, _NOISELESS_DB}))
    yield Circumstance(Rayleigh(), "average", _NOISELESS_DB, _FADES)
    yield from (Circumstance(Rayleigh(), "average", level, _FADES) for level in levels[:1])
    yield from (Circumstance(Rayleigh(), "instantaneous", level, _FADES) for level in levels[-1:])
    yield from (Circumstance(AWGN(), "none", level) for level in levels[-1:])


def _deliveries(
    planner: _Planner, symbols: int | None, n: int, met: Circumstance, bench: Bench
) -> Iterator[tuple[Decoded, list[str]]]:
    """What arrives of realizations that get the same plan, and what is wrong with it."""
    link, payload = planner.link, planner.payload
    values, layout = payload.values, payload.layout
    state = met.channel.realize(met.realizations, n, met.snr_db, bench.generator(3))
    known = Knowledge("none")
    if met.knowledge != "none":
        told = met.channel.effective(state, bench.generator(6)) if met.knowledge == "instantaneous" else None
        known = Knowledge(met.knowledge, met.snr_db, met.channel, told)
    kinds = link.alike(payload, n, known).expand(met.realizations)
    for kind in kinds.unique():
        rows = torch.nonzero(kinds == kind).flatten()
        try:
            plan = planner.plan(symbols, known.of(rows))
        except BudgetError:  # what this fade, or what is assumed of the channel, leaves no room for
            continue
        faults = list(_plan_faults(link, plan, layout, symbols))
        if faults:
            yield Decoded(values.expand(0, -1), torch.zeros(0, dtype=torch.bool), torch.zeros(0).long()), faults
            return
        sent = (link.send(values, plan, layout, met.channel, state[rows], bench.generator(4)) for _ in range(2))
        found, same = map(_held, sent)
        yield found, list(_faults(link, found, same, len(rows), layout, symbols, plan, values))


def _faults(
    link: Link,
    found: Decoded,
    same: Decoded,
    rows: int,
    layout: Layout,
    symbols: int | None,
    plan: Plan,
    values: Tensor,
) -> Iterator[str]:
    """What is wrong with a delivery, beside the same once more."""
    faults = list(_decoded_faults(found, rows, layout.size, symbols, plan))
    if not faults and not torch.equal(torch.as_tensor(found.values), torch.as_tensor(same.values)):
        faults.append("the same generator gives other values: something is drawn from elsewhere")
    power = found.power if found.power is not None else link.power(values, plan)
    if not bool((power <= 1 + _POWER + 5 / math.sqrt(plan.payload_symbols)).all()):
        faults.append(f"a delivery has mean power {float(power.max()):.4g}; expected at most 1")
    yield from faults


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


def _outage(planner: _Planner, bench: Bench, symbols: int | None) -> Iterator[str]:
    """Nothing arrives: gain 0 throughout."""
    payload, channel = planner.payload, AWGN()
    plan = planner.plan(symbols, Knowledge("average", max(bench.snr_db), channel))
    dead = ChannelState(torch.zeros(2, 1, dtype=torch.complex64), torch.ones(2, 1))
    found = planner.link.send(payload.values, plan, payload.layout, channel, dead, bench.generator(5))
    if bool(found.usable.any()):
        yield "a delivery over a channel of gain 0 is called usable: its side information cannot have arrived"
