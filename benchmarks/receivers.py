"""The score of one transmission for all receivers of a city, from few of them that stand for the rest."""

import statistics
from collections.abc import Callable

import torch

from airdeliver import AnalogLink, Delivery, Execution, Fades, Problem, Report, deliver, evaluate
from airdeliver.data import load_dataset
from airdeliver.fades import choose
from airdeliver.models import CNN
from airdeliver.recipe import Recipe
from airdeliver.strata import quantiles
from airdeliver.task import Classification
from airdeliver.training import Training
from benchmarks.ratio import Ratio, speed_ratio
from channels import Multicast, Rayleigh

RECEIVERS, SENT = 10_000, 16
DIRECT = 200  # receivers that are evaluated one by one: 10,000 take 50 times as long
SNR_DB, CHANNEL_USES = 10.0, 20_000
WORST = 0.05
PICKED = 9  # choices of the few
CITY = Multicast(Rayleigh(), receivers=1)


def measure() -> list[Ratio]:
    """A digits network sent once to the receivers of an urban cell with shadowing and slow fading."""
    dataset = load_dataset("digits")
    recipe = Recipe(epochs=3, batch_size=128)
    problem = Problem(Classification(dataset), CNN(), recipe, execution=Execution(threads=1))
    model = Training.clean(problem).run(problem.task, {}).model()
    images, labels = dataset.prepare(dataset.test.images), dataset.test.labels

    def sent(realizations: int | Fades) -> Delivery:
        return deliver(model, AnalogLink(protection="size"), CITY, SNR_DB, CHANNEL_USES, realizations, knowledge="none")

    def score(realizations: int | Fades) -> Report:
        return evaluate(sent(realizations), images, labels)

    name = f"receivers: {RECEIVERS:,} in a cell, {SENT} for all / each"
    some = speed_ratio(name, lambda: score(Fades(RECEIVERS, SENT)), lambda: score(DIRECT))
    rest = RECEIVERS / DIRECT
    return [
        Ratio(name, some.value * rest, some.low * rest, some.high * rest, 500.0, "at least", some.ours_seconds),
        *_apart(sent(DIRECT), lambda delivery: evaluate(delivery, images, labels)),
    ]


def _apart(delivery: Delivery, score: Callable[[Delivery], Report]) -> list[Ratio]:
    """How far the few that `Fades` would have chosen of receivers are from all of these receivers."""
    report, n = score(delivery), delivery.realizations
    numbers = torch.cat([group.realizations for group in delivery.groups])
    information = torch.cat([group.information for group in delivery.groups])[numbers.argsort()]
    found: list[list[float]] = []
    for seed in range(PICKED):
        chosen, shares = choose(information, SENT, torch.Generator().manual_seed(seed))
        few = report.per_realization[chosen]
        worst = float(quantiles(few, shares, [WORST])[0])
        found.append([float(few.double() @ shares) - report.accuracy, worst - report.quantile(WORST)])
    names = ("mean", f"{WORST:.0%} quantile")
    points = [sorted(100 * abs(value) for value in values) for values in zip(*found, strict=True)]
    return [
        Ratio(
            f"receivers: {what} of the same {n}, points apart",
            statistics.median(each),
            each[0],
            each[-1],
            0.5,
            "at most",
        )
        for what, each in zip(names, points, strict=True)
    ]
