"""The interleaver: symbols that follow one another are sent far apart, so that every code block meets all fading."""

import math
from collections.abc import Iterator, Sequence

import torch
from jaxtyping import Int64, Shaped
from torch import Tensor

from channels import Received

_GOLDEN = (math.sqrt(5) - 1) / 2


def places(n: int) -> Int64[Tensor, "n"]:
    """Where each of n symbols is sent: golden-section steps round the delivery, so that any run of them covers it.

    >>> places(8)
    tensor([0, 5, 2, 7, 4, 1, 6, 3])
    """
    step = next((s for s in range(max(1, round(_GOLDEN * n)), n) if math.gcd(s, n) == 1), 1)
    return torch.arange(n) * step % max(n, 1)


def interleaved(symbols: Shaped[Tensor, "rows n"]) -> Shaped[Tensor, "rows n"]:
    """Symbols in the order in which they are sent.

    >>> interleaved(torch.arange(8).view(1, -1))
    tensor([[0, 5, 2, 7, 4, 1, 6, 3]])
    """
    sent = torch.empty_like(symbols)
    sent[:, places(symbols.shape[-1]).to(symbols.device)] = symbols
    return sent


def deinterleaved(received: Shaped[Tensor, "rows _"], n: int) -> Shaped[Tensor, "rows _"]:
    """What was received of the first n symbols, in the order in which they were made; one column stays one.

    >>> deinterleaved(interleaved(torch.arange(8).view(1, -1)), 8)
    tensor([[0, 1, 2, 3, 4, 5, 6, 7]])
    """
    return received if received.shape[-1] == 1 else received[:, places(n).to(received.device)]


def parted(received: Shaped[Tensor, "rows _"], lengths: Sequence[int]) -> list[Shaped[Tensor, "rows _"]]:
    """What was received of parts of so many symbols that were interleaved together; one column is that of all.

    >>> parted(interleaved(torch.arange(8).view(1, -1)), [3, 5])
    [tensor([[0, 1, 2]]), tensor([[3, 4, 5, 6, 7]])]
    """
    made = deinterleaved(received, sum(lengths))
    return [made] * len(lengths) if made.shape[-1] == 1 else list(made.split(list(lengths), dim=-1))


def heard_of(received: Received, lengths: Sequence[int]) -> Iterator[tuple[Tensor, Tensor, Tensor]]:
    """Samples, gain and noise variance of each of the parts that were interleaved together, as they were made."""
    every = (received.samples, received.gain, received.noise_variance)
    samples, gain, variance = (parted(values, lengths) for values in every)
    return zip(samples, gain, variance, strict=True)
