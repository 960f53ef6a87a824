"""Time to know a delivered accuracy to half a point, against 64 realizations on the whole test set."""

import math
import statistics
from collections.abc import Iterator
from dataclasses import replace
from itertools import count

import torch
from scipy.stats import t as student
from torch import Generator, Tensor, nn

from airdeliver import AnalogLink, Delivery, Execution, Problem, Report, deliver, evaluate
from airdeliver.data import Dataset, Images, Split, load_dataset
from airdeliver.fades import Fades
from airdeliver.intervals import channel_interval
from airdeliver.models import VGG
from airdeliver.recipe import Recipe
from airdeliver.task import Classification
from airdeliver.training import Training
from benchmarks.ratio import Ratio, speed_ratio
from channels import AWGN
from experiments.monte_carlo import Realizations

HALF_WIDTH, FIXED, IMAGES, EACH = 0.005, 64, 10_000, 256
TIMED = 4  # of the fixed realizations: the others take as long each
SNR_DB, CHANNEL_USES = 19.0, 100_000
REPETITIONS = 1000
NOISE = 60.0  # standard deviation in 8-bit levels: enough for a network to be wrong about some


def measure() -> list[Ratio]:
    """The 115k VGG, trained on digits that were enlarged to CIFAR-10's shape, over AWGN where accuracy varies."""
    task, execution = Classification(_digits()), Execution(threads=torch.get_num_threads())
    problem = Problem(task, VGG(), Recipe(epochs=1, batch_size=128), execution=execution)
    model = Training.clean(problem).run(task, {}).model()
    images, labels = task.dataset.prepare(task.dataset.test.images), task.dataset.test.labels
    seeds = count(1)
    adaptive: list[Report] = []
    fixed: list[Report] = []

    def score(rule: Realizations) -> Report:
        seed = next(seeds)
        return rule.measure(
            lambda realizations: _delivery(model, realizations, seed),
            lambda part: evaluate(part, images, labels, images_each=rule.images),
        )[1]

    shared = Realizations(64, 2048, until=HALF_WIDTH, images=EACH)
    some = speed_ratio(
        f"confidence: images shared out / {FIXED} realizations on all",
        lambda: adaptive.append(score(shared)),
        lambda: fixed.append(score(Realizations(TIMED, TIMED))),
    )
    rest = FIXED / TIMED
    ratio = replace(some, value=some.value * rest, low=some.low * rest, high=some.high * rest, bar=5.0)
    ratio = replace(ratio, baseline_seconds=None if some.baseline_seconds is None else some.baseline_seconds * rest)
    population = torch.cat([report.scores for report in fixed])
    return [ratio, *_half_widths(adaptive, population), _coverage(population, shared)]


def _delivery(model: nn.Module, realizations: int | Fades, seed: int) -> Delivery:
    return deliver(model, AnalogLink(), AWGN(), SNR_DB, CHANNEL_USES, realizations, seed, normalisation="frozen")


def _digits() -> Dataset:
    """Handwritten digits at 32 x 32 in three colours, each test image many times with other noise and shift."""
    source = load_dataset("digits")
    generator = Generator().manual_seed(0)

    def split(of: Split, n: int) -> Split:
        rows = torch.randint(len(of), (n,), generator=generator)
        small = of.images[rows].float()
        large = nn.functional.interpolate(small, size=(32, 32), mode="bilinear").expand(-1, 3, -1, -1)
        noisy = large + NOISE * torch.randn(large.shape, generator=generator)
        channels_last = noisy.clamp(0, 255).to(torch.uint8).contiguous(memory_format=torch.channels_last)
        return Split(channels_last, of.labels[rows])

    splits = (split(source.train, 10_000), split(source.validation, 100), split(source.test, IMAGES))
    moments = ((100.0,) * 3, (80.0,) * 3)
    return Dataset("enlarged digits", *splits, Images(3, 32, 32, *moments), source.targets, "enlarged digits")


def _half_widths(adaptive: list[Report], population: Tensor) -> Iterator[Ratio]:
    """In points of accuracy: what was asked for, and what the fixed number gives."""
    halves = [50 * (report.channel_high - report.channel_low) for report in adaptive]
    middle = statistics.median(halves)
    name = "confidence: half-width in points, images shared out"
    yield Ratio(name, middle, min(halves), max(halves), 100 * HALF_WIDTH, "at most")
    half = 100 * float(student.ppf(0.975, FIXED - 1)) * float(population.mean(1).std()) / math.sqrt(FIXED)
    yield Ratio(f"confidence: half-width in points, {FIXED} realizations", half, half, half)


def _coverage(population: Tensor, rule: Realizations) -> Ratio:
    """How often the interval holds the mean of all realizations scored here, drawn from anew by the same rule."""
    truth, generator = float(population.mean()), Generator().manual_seed(0)
    covered = sum(_covers(population, truth, rule, generator) for _ in range(REPETITIONS))
    share = covered / REPETITIONS
    error = 1.96 * math.sqrt(share * (1 - share) / REPETITIONS)
    return Ratio("confidence: coverage, images shared out", share, share - error, share + error, 0.92)


def _covers(population: Tensor, truth: float, rule: Realizations, generator: Generator) -> bool:
    accuracies, drawn = torch.empty(0), rule.at_least
    while True:
        rows = torch.randint(len(population), (drawn - len(accuracies), 1), generator=generator)
        images = torch.stack([torch.randperm(IMAGES, generator=generator)[:EACH] for _ in rows])
        accuracies = torch.cat([accuracies, population[rows, images].mean(1)])
        interval = channel_interval(accuracies)
        wanted = rule.after(drawn, (interval.high - interval.low) / 2)
        if wanted == drawn:
            return interval.low <= truth <= interval.high
        drawn = wanted
