"""Does a channel keep the contract? Every fault found is told in one line of plain words."""

from collections.abc import Callable, Iterator

import torch

from channels.base import Channel
from channels.examination import EXAMINATIONS, Bench, shapes, swallowed_arguments


class ConformanceError(AssertionError):
    """A channel breaks the contract.

    Args:
        faults: one line each.
    """

    def __init__(self, channel: object, faults: list[str]):
        self.faults = faults
        lines = "\n".join(f"- {fault}" for fault in faults)
        super().__init__(f"{type(channel).__name__} breaks the contract of channels.base.Channel:\n{lines}")


def check(
    channel: Channel, *, realizations: int = 2000, n: int = 64, seed: int = 0, device: str | torch.device = "cpu"
) -> None:
    """Check any channel object against the contract.

    Shapes, dtypes and device; E|h|^2; the meaning of the SNR; that the receiver is given the gain and the noise that
    it suffers; power per delivery; randomness from the generator alone; independent realizations; empty and one-symbol
    deliveries; gradients, unless `differentiable` is False; costs. A wrapper (a channel with an attribute `channel`) is
    compared with the channel that it wraps.

    Args:
        channel: what is checked.
        realizations: transmissions that statistics are taken over, at least 100.
        n: symbols of each, at least 8.
        seed: of the generators.
        device: of the generators.

    Raises:
        ConformanceError: with one line for each fault.
        ValueError: too few realizations or symbols to tell.

    >>> from channels import Rayleigh
    >>> check(Rayleigh())
    """
    if realizations < 100 or n < 8:
        raise ValueError(f"needs at least 100 realizations of 8 symbols, got {realizations} of {n}")
    bench = Bench(channel, realizations, n, seed, torch.device(device))
    faults = list(swallowed_arguments(channel))
    basics = list(_guarded("sending", shapes, bench))
    faults += basics
    if not basics:
        for name, examine in EXAMINATIONS.items():
            faults += _guarded(name, examine, bench)
    if faults:
        raise ConformanceError(channel, faults)


def _guarded(name: str, examine: Callable[[Bench], Iterator[str]], bench: Bench) -> Iterator[str]:
    try:
        yield from examine(bench)
    except Exception as error:
        yield f"{name} failed with {type(error).__name__}: {str(error).splitlines()[0] if str(error) else ''}"
