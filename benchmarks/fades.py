"""Time to know the score under slow fading to one point, against independent fades."""

import statistics
from collections.abc import Callable
from dataclasses import replace
from itertools import count

from airdeliver import AnalogLink, DigitalLink, Execution, Fades, Link, Problem, Report, deliver, evaluate
from airdeliver.data import load_dataset
from airdeliver.models import CNN
from airdeliver.recipe import Recipe
from airdeliver.task import Classification
from airdeliver.training import Training
from benchmarks.ratio import Ratio, speed_ratio
from channels import Rayleigh

HALF_WIDTH, SNR_DB, CHANNEL_USES = 0.01, 8.0, 20_000
TIMED = 16  # independent fades, of which as many as the half-width takes would need so many times the time
NORMAL = 1.96


def measure() -> list[Ratio]:
    """A digits network over Rayleigh fading whose average alone is known, analog and digital."""
    dataset = load_dataset("digits")
    problem = Problem(Classification(dataset), CNN(), Recipe(epochs=3, batch_size=128), execution=Execution(threads=1))
    model = Training.clean(problem).run(problem.task, {}).model()
    images, labels = dataset.prepare(dataset.test.images), dataset.test.labels
    seeds = count(1)

    def score(link: Link, realizations: int | Fades) -> Report:
        delivery = deliver(model, link, Rayleigh(), SNR_DB, CHANNEL_USES, realizations, next(seeds))
        return evaluate(delivery, images, labels)

    links = {"analog": AnalogLink(protection="size"), "digital": DigitalLink("abstraction")}
    return [ratio for name, link in links.items() for ratio in _of(name, link, score)]


def _of(name: str, link: Link, score: Callable[[Link, int | Fades], Report]) -> list[Ratio]:
    reports: list[Report] = []
    some = speed_ratio(
        f"fades: {name}, strata / independent fades",
        lambda: reports.append(score(link, Fades())),
        lambda: score(link, TIMED),
    )
    needed = (NORMAL * statistics.median(report.std for report in reports) / HALF_WIDTH) ** 2
    rest = needed / TIMED
    ratio = replace(some, value=some.value * rest, low=some.low * rest, high=some.high * rest, bar=20.0)
    ratio = replace(ratio, baseline_seconds=None if some.baseline_seconds is None else some.baseline_seconds * rest)
    halves = [50 * (report.channel_high - report.channel_low) for report in reports]
    half = Ratio(
        f"fades: {name}, half-width in points", statistics.median(halves), min(halves), max(halves), 1.0, "at most"
    )
    return [ratio, half]
