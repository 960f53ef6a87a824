"""On what pieces are examined: values, noise and SNRs, always the same."""

import math
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import cache

import numpy as np
import torch
from jaxtyping import Float
from torch import Generator, Tensor, nn

from airdeliver.payload import Layout, layout_of

SIGMAS = 6.0
"""Standard deviations by which chance may be off: a sound piece is blamed once in hundreds of millions of times."""


@dataclass(frozen=True)
class Bench:
    """What a piece is examined on.

    Args:
        snr_db: SNRs in dB, those of a sweep, say.
        n: values.
        realizations: deliveries.
        seed: of the generators.

    Raises:
        ValueError: too few to tell.
    """

    snr_db: tuple[float, ...] = (0.0, 10.0, 20.0)
    n: int = 4096
    realizations: int = 8
    seed: int = 0

    def __post_init__(self) -> None:
        if self.n < 64 or self.realizations < 2 or not self.snr_db:
            raise ValueError(
                f"needs at least 64 values, 2 realizations and an SNR, got {self.n}, {self.realizations} and "
                f"{len(self.snr_db)}"
            )

    def generator(self, stream: int) -> Generator:
        """A fresh generator; the same stream draws the same numbers."""
        return Generator().manual_seed(1000 * self.seed + stream)

    def values(self) -> Float[Tensor, "n"]:
        """Gaussian values of mean 0 and variance 1, exactly."""
        drawn = torch.randn(self.n, generator=self.generator(1))
        return (drawn - drawn.mean()) / drawn.std(correction=0)

    def noise(self, *shape: int, stream: int = 2) -> Tensor:
        """Gaussian noise of variance 1."""
        return torch.randn(*shape, generator=self.generator(stream))

    def linear(self) -> Iterator[tuple[float, float]]:
        """Each SNR in dB, and linear; without end ones left out."""
        yield from ((snr_db, 10 ** (snr_db / 10)) for snr_db in self.snr_db if math.isfinite(snr_db))


def guarded(name: str, examine: Callable[[], Iterable[str]]) -> Iterator[str]:
    """The faults that an examination finds; one that ends in an exception is a fault, and so is global randomness."""
    before = _global_generators()
    try:
        yield from examine()
    except (KeyboardInterrupt, GeneratorExit):
        raise
    except BaseException as error:  # a piece of the user's may raise anything, or call sys.exit
        first, *_ = str(error).splitlines() or [""]
        yield f"{name} failed with {type(error).__name__}: {first}"
    if before != _global_generators():
        yield f"{name} draws from a global generator: every draw must come from the generator that is given"


def tensor_faults(what: str, found: object, shape: tuple[int, ...], dtype: torch.dtype | None = None) -> Iterator[str]:
    """What is wrong with a tensor, at most one line.

    Args:
        what: it is.
        found: that should be a tensor.
        shape: that it should have.
        dtype: that it should have; None for any.
    """
    if not isinstance(found, Tensor):
        yield f"{what} is {type(found).__name__}; expected a tensor of shape {shape}"
    elif tuple(found.shape) != shape or (dtype is not None and found.dtype != dtype):
        kind = f", {dtype}" if dtype is not None else ""
        yield f"{what} is of shape {tuple(found.shape)}, {found.dtype}; expected {shape}{kind}"
    elif not bool(found.isfinite().all()):
        yield f"{what} is not finite (NaN or infinite)"


def off_centre(error: Tensor) -> float | None:
    """The mean of errors, where it is further from 0 than chance explains; else None."""
    error = error.double()
    mean, spread = float(error.mean()), float(error.std())
    return mean if abs(mean) > 1e-3 + SIGMAS * spread / math.sqrt(error.numel()) else None


@cache
def layout_like() -> Layout:
    """The layout of a small network of convolutions, norms and matrices."""
    with torch.random.fork_rng(devices=[]):
        parts = (nn.Conv2d(3, 8, 3), nn.BatchNorm2d(8), nn.Flatten(), nn.Linear(72, 30), nn.ReLU(), nn.Linear(30, 10))
        return layout_of(nn.Sequential(*parts))


def _global_generators() -> tuple[bytes, ...]:
    numpy_state = repr(np.random.get_state(legacy=False)["state"]).encode()  # noqa: NPY002
    return torch.get_rng_state().numpy().tobytes(), numpy_state
