"""How often the 95 % intervals hold the truth, simulated: few realizations, losses, accuracies near 0 and 1, seeds."""

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import product

import pandas as pd
import torch
from scipy.stats import norm
from torch import Generator, Tensor

from airdeliver.fades import Strata, choose
from airdeliver.intervals import Interval
from airdeliver.sample import Sample
from benchmarks.ratio import Ratio
from figures.table import over_seeds

IMAGES, FLOOR, BOUNDS = 400, 0.1, (0.0, 1.0)
REALIZATIONS = (2, 3, 4, 16)
OUTAGES = (0.0, 0.02, 0.1, 0.3)
ACCURACIES = (0.12, 0.5, 0.8, 0.98)
SEEDS = (2, 3)


@dataclass(frozen=True)
class Coverage:
    """How often an interval held the truth, and half of its mean width, of so many repetitions."""

    held: float
    half_width: float

    @classmethod
    def of(cls, truth: float, intervals: Iterator[Interval], repetitions: int) -> "Coverage":
        """Of that many intervals."""
        drawn = [next(intervals) for _ in range(repetitions)]
        held = sum(i.low - 1e-9 <= truth <= i.high + 1e-9 for i in drawn) / repetitions
        return cls(held, sum(i.high - i.low for i in drawn) / 2 / repetitions)


def independent(realizations: int, outage: float, accuracy: float, spread: float, generator: Generator) -> Sample:
    """Deliveries of which each arrives by chance, and whose accuracy differs from one to the next.

    An image is right where a latent normal is positive: the sum of the delivery's part, the image's (variance 1) and
    their own (variance 1), around what makes the accuracy on average.

    Args:
        realizations: independent deliveries.
        outage: probability that nothing arrives.
        accuracy: mean of what arrived.
        spread: standard deviation of the delivery's part.
        generator: of all of it.
    """
    middle = float(norm.ppf(accuracy)) * math.sqrt(2 + spread**2)
    rows = spread * torch.randn(realizations, 1, generator=generator)
    images = torch.randn(1, IMAGES, generator=generator)
    own = torch.randn(realizations, IMAGES, generator=generator)
    arrived = torch.rand(realizations, generator=generator) >= outage
    scores = torch.where(arrived[:, None], (middle + rows + images + own > 0).float(), FLOOR)
    settled = torch.full((realizations,), math.nan if outage else math.inf)
    numbers = torch.arange(realizations)
    return Sample(scores, arrived, settled, numbers, numbers, FLOOR)


def faded(curve: Callable[[Tensor], Tensor], snr_db: float, sent: int, drawn: int, generator: Generator) -> Sample:
    """Rayleigh fades, of which those that are sent are worth what a curve says of their mutual information."""
    mutual = fades(snr_db, drawn, generator)
    chosen, shares = choose(mutual, sent, generator)
    worth = curve(mutual[chosen])
    arrived, numbers = worth > FLOOR, torch.arange(len(chosen))
    # One score a delivery: the interval over new fades alone.
    settled = torch.where(arrived, 2.0, 0.5)
    return Sample(worth[:, None].float(), arrived, settled, numbers, numbers, FLOOR, Strata(drawn, shares))


def fades(snr_db: float, count: int, generator: Generator) -> Tensor:
    """Mutual information of Rayleigh fades, in bits per symbol."""
    power = torch.empty(count, dtype=torch.float64).exponential_(generator=generator)
    return torch.log2(1 + 10 ** (snr_db / 10) * power)


def cliff(mutual: Tensor) -> Tensor:
    """A digital link: all from one bit per symbol on, nothing below."""
    return torch.where(mutual >= 1, 0.8, FLOOR).double()


def slope(mutual: Tensor) -> Tensor:
    """An analog link: better by and by, from the side information's rate on."""
    worth = FLOOR + 0.7 * torch.sigmoid(3 * (mutual.log2() - 0.2))
    return torch.where(mutual >= 0.25, worth, FLOOR)


CURVES = {"analog": (slope, 32), "digital": (cliff, 256)}


def of_realizations(repetitions: int, spread: float = 0.3) -> pd.DataFrame:
    """Coverage over few independent deliveries."""
    rows = []
    for count, outage, accuracy in product(REALIZATIONS, OUTAGES, ACCURACIES):
        generator = Generator().manual_seed(0)
        drawn = (
            independent(count, outage, accuracy, spread, generator).intervals(BOUNDS)[0] for _ in range(repetitions)
        )
        found = Coverage.of(outage * FLOOR + (1 - outage) * accuracy, drawn, repetitions)
        rows.append((count, outage, accuracy, found.held, found.half_width))
    return pd.DataFrame(rows, columns=["realizations", "outage", "accuracy", "coverage", "half_width"])


def of_fades(repetitions: int, drawn: int = 16384) -> pd.DataFrame:
    """Coverage where a few deliveries stand for many fades, and how many independent fades would do as well."""
    rows = []
    for (name, (curve, sent)), snr_db in product(CURVES.items(), (-5.0, 5.0, 15.0, 25.0)):
        generator = Generator().manual_seed(0)
        everything = curve(fades(snr_db, 2_000_000, generator))
        truth = float(everything.mean())
        found = [faded(curve, snr_db, sent, drawn, generator).intervals(BOUNDS)[1] for _ in range(repetitions)]
        covered = Coverage.of(truth, iter(found), repetitions)
        error = sum((interval.mean - truth) ** 2 for interval in found) / repetitions
        worth = float(everything.var()) / error
        rows.append((name, sent, snr_db, truth, covered.held, covered.half_width, worth))
    names = ["link", "sent", "snr_db", "accuracy", "coverage", "half_width", "worth_of_fades"]
    return pd.DataFrame(rows, columns=names)


def of_seeds(repetitions: int, realizations: int = 4, between: float = 0.02) -> pd.DataFrame:
    """Coverage over several trainings, whose accuracies differ by so much."""
    rows = []
    for seeds, accuracy, outage in product(SEEDS, (0.5, 0.8, 0.98), (0.0, 0.1)):
        generator = Generator().manual_seed(0)
        apart = min(between, (1 - accuracy) / 2)
        drawn = (_over_seeds(seeds, realizations, outage, accuracy, apart, generator) for _ in range(repetitions))
        found = Coverage.of(outage * FLOOR + (1 - outage) * accuracy, drawn, repetitions)
        rows.append((seeds, accuracy, outage, found.held, found.half_width))
    return pd.DataFrame(rows, columns=["seeds", "accuracy", "outage", "coverage", "half_width"])


def _over_seeds(
    seeds: int, realizations: int, outage: float, accuracy: float, between: float, generator: Generator
) -> Interval:
    condition: dict[str, object] = dict.fromkeys(("dataset", "model", "scheme", "channel", "knowledge"), "")
    condition |= {"channel_uses": 1, "snr_db": 0.0}
    rows = []
    for seed in range(seeds):
        draw = between * (2 * float(torch.rand((), generator=generator)) - 1) * math.sqrt(3)
        right = min(max(accuracy + draw, 1e-3), 1 - 1e-3)
        both, _ = independent(realizations, outage, right, 0.1, generator).intervals(BOUNDS)
        ends = {"accuracy": both.mean, "accuracy_low": both.low, "accuracy_high": both.high}
        rows.append({**condition, "seed": seed, **ends})
    found = over_seeds(pd.DataFrame(rows)).iloc[0]
    return Interval(*(float(found[name]) for name in ("accuracy", "accuracy_low", "accuracy_high")))


def measure() -> list[Ratio]:
    """The least coverage of each kind."""
    tables = {"few realizations": of_realizations(400), "strata of fades": of_fades(200), "seeds": of_seeds(200)}
    found = {f"coverage: least, {name}": (table["coverage"].tolist(), 0.92) for name, table in tables.items()}
    worth = tables["strata of fades"]["worth_of_fades"].tolist()
    found["coverage: independent fades that strata are worth"] = worth, 500.0
    return [Ratio(name, min(values), min(values), max(values), bar) for name, (values, bar) in found.items()]


def main(repetitions: int = 1000) -> None:
    """Print the tables of `docs/concepts/intervals.md`."""
    fewer = max(100, repetitions // 5)
    for table in (of_realizations(repetitions), of_fades(fewer), of_seeds(fewer)):
        print(table.to_string(index=False, float_format="{:.3g}".format), end="\n\n", flush=True)


if __name__ == "__main__":
    main()
