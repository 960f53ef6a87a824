"""Complex Gaussian samples: what every noisy channel spends its time on."""

import math
from concurrent.futures import ThreadPoolExecutor

import torch
from jaxtyping import Complex
from torch import Generator, Tensor

SHARED_OUT = 1 << 21
"""Samples from which on they are drawn by several threads."""

_STRETCH = 1 << 18  # samples of one generator


def complex_normal(shape: tuple[int, ...], generator: Generator) -> Complex[Tensor, "..."]:
    """Circularly symmetric complex Gaussian samples of unit variance (1/2 per real dimension), complex64.

    PyTorch's generator of the processor knows one thread only. Many samples are therefore drawn in stretches, each by a
    generator of its own that is seeded from `generator`, on as many threads as PyTorch computes with. What is drawn
    does not depend on their number.

    >>> x = complex_normal((1000,), torch.Generator().manual_seed(0))
    >>> x.dtype, bool((x.abs() ** 2).mean() < 1.15)
    (torch.complex64, True)
    """
    if generator.device.type != "cpu" or math.prod(shape) < SHARED_OUT:
        return torch.randn(shape, generator=generator, dtype=torch.complex64, device=generator.device)
    samples = torch.empty(shape, dtype=torch.complex64)
    first = int(torch.randint(1 << 32, (), generator=generator))

    def draw(index: int, stretch: Tensor) -> None:
        own = Generator().manual_seed((first + index) % (1 << 32))
        torch.randn(stretch.shape, generator=own, dtype=torch.complex64, out=stretch)

    with ThreadPoolExecutor(torch.get_num_threads()) as threads:
        list(threads.map(draw, *zip(*enumerate(samples.view(-1).split(_STRETCH)))))
    return samples
