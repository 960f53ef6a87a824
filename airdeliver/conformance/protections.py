"""Does a protection keep its contract: an allocation of all segments that fits?"""

import math
from collections.abc import Iterator

from airdeliver.conformance.bench import Bench
from airdeliver.links.analog.allocation import EVENLY, MOST_INPUTS, POWER_LEVELS, Allocation
from airdeliver.links.analog.expansion import Repetition
from airdeliver.links.analog.protection import Demand, Protection

_SIZES = (4000, 600, 64, 10)
_WEIGHT = (1.0, 5.0, 0.1, 0.0)
_SPARE = (1.0, 1.3, 4.0)  # times what the segments need


def examine_protection(protection: Protection, bench: Bench) -> Iterator[str]:
    """One line for each fault of `allocate` at the SNRs of the bench, tight and ample budgets."""
    for spare in _SPARE:
        for snr_db, snr in bench.linear():
            where = f"at {snr_db:g} dB and {spare:g} times the least budget"
            demand = _demand(protection, spare, snr)
            found = protection.allocate(demand)
            faults = list(_faults(found, demand))
            if not faults and protection.allocate(_demand(protection, spare, snr)) != found:
                faults.append("allocates otherwise when asked again: sender and training must agree")
            if faults:
                yield from (f"{where} {fault}" for fault in faults)
                return


def _demand(protection: Protection, spare: float, snr: float) -> Demand:
    published = Allocation.by_size(_SIZES, 1) if protection.by_size else Allocation.uniform(len(_SIZES), 1)
    budget = math.ceil(spare * published.needed(_SIZES))
    # A table costs 4 uses a bit, as by default, of two channel inputs each.
    return Demand(_SIZES, _WEIGHT, Repetition(1), published, snr, lambda table: budget - 64 * table)


def _faults(found: object, demand: Demand) -> Iterator[str]:
    count = len(demand.sizes)
    if not isinstance(found, Allocation):
        yield f"allocate gives {type(found).__name__}; expected an Allocation"
    elif len(found.inputs) != count or len(found.power) not in (0, count):
        yield (
            f"allocates to {len(found.inputs)} segments and powers to {len(found.power)}; expected {count}, and as "
            "many powers or none"
        )
    elif not all(isinstance(k, int) and 1 <= k <= MOST_INPUTS for k in found.inputs):
        yield f"inputs must be integers from 1 to {MOST_INPUTS}, got {found.inputs}"
    elif not all(isinstance(level, int) and 0 <= level <= POWER_LEVELS for level in found.power):
        yield f"powers must be levels from 0 to {POWER_LEVELS}, got {found.power}"
    elif found.rest != EVENLY and not 0 <= found.rest < count:
        yield f"rest must be a segment from 0 to {count - 1}, got {found.rest}"
    elif not demand.fits(found):
        yield (
            f"allocates {found.needed(demand.sizes)} channel inputs and a table of {demand.table(found)} bytes, which "
            "do not fit; demand.published always does"
        )
