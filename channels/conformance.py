"""Does a channel keep the contract? Every fault found is told in one line of plain words."""

from collections.abc import Callable, Iterable, Iterator
from functools import partial

import torch

from channels.base import Channel
from channels.checks import check_arguments
from channels.examination import EXAMINATIONS, Bench, promises, shapes, swallowed_arguments
from channels.operating_point import operating_point


class ConformanceError(AssertionError):
    """An object breaks the contract of its family.

    Args:
        piece: the object.
        faults: one line each.
        contract: whose it breaks.
    """

    def __init__(self, piece: object, faults: list[str], contract: str = "channels.base.Channel"):
        self.faults = faults
        lines = "\n".join(f"- {fault}" for fault in faults)
        super().__init__(f"{type(piece).__name__} breaks the contract of {contract}:\n{lines}")


def check(
    channel: Channel,
    *,
    lengths: Iterable[int] = (16_384,),
    snr_db: Iterable[float] = (-10.0, 20.0, 40.0),
    realizations: int = 2000,
    n: int = 64,
    seed: int = 0,
    device: str | torch.device = "cpu",
) -> None:
    """Check any channel object against the contract, and that it keeps it at the lengths and SNRs of a sweep.

    Shapes, dtypes and device; E|h|^2; the meaning of the SNR; that the receiver is given the gain and the noise that
    it suffers; deliveries apart; randomness from the generator alone; independent realizations; deliveries of one
    symbol; gradients, unless `differentiable` is False; costs. A wrapper (a channel with an attribute `channel`) is
    compared with the channel that it wraps. If all this is sound, gain and noise at every length and SNR, which takes
    a fraction of a second each (see `channels.operating_point`), until one is at fault, and what `effective` promises.

    Args:
        channel: what is checked.
        lengths: symbols of a delivery at which gain and noise are examined, at least 1; those of a sweep, say.
        snr_db: mean SNRs in dB at which they are, each at every length.
        realizations: transmissions that the other statistics are taken over, at least 100.
        n: symbols of each, at least 8.
        seed: of the generators.
        device: of the generators.

    Raises:
        ConformanceError: with one line for each fault.
        ValueError: too few realizations or symbols to tell; a length below 1; an SNR that is no number.

    >>> from channels import Rayleigh
    >>> check(Rayleigh(), lengths=[1000], snr_db=[0.0, 20.0])
    """
    lengths, levels = list(lengths), list(snr_db)
    if realizations < 100 or n < 8:
        raise ValueError(f"needs at least 100 realizations of 8 symbols, got {realizations} of {n}")
    if any(length < 1 for length in lengths):
        raise ValueError(f"lengths must be at least 1 symbol, got {min(lengths)}")
    for level in levels:
        check_arguments(1, level)
    bench = Bench(channel, realizations, n, seed, torch.device(device))
    faults = list(swallowed_arguments(channel))
    basics = list(_guarded("sending", shapes, bench))
    faults += basics
    if not basics:
        for name, examine in EXAMINATIONS.items():
            faults += _guarded(name, examine, bench)
    points = iter([(length, level) for length in lengths for level in levels])
    while not faults and (point := next(points, None)):
        length, level = point
        examine = partial(operating_point, n=length, snr_db=level)
        faults += _guarded(f"sending {length} symbols at {level:g} dB", examine, bench)
    if not faults:
        faults += _guarded("examining what effective promises", promises, bench)
    if faults:
        raise ConformanceError(channel, faults)


def _guarded(name: str, examine: Callable[[Bench], Iterator[str]], bench: Bench) -> Iterator[str]:
    try:
        yield from examine(bench)
    except (KeyboardInterrupt, GeneratorExit):
        raise
    except BaseException as error:  # a channel of the user's may raise anything, or call sys.exit
        yield f"{name} failed with {type(error).__name__}: {str(error).splitlines()[0] if str(error) else ''}"
