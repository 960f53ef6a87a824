"""As many realizations as it takes."""

from pathlib import Path

import pytest
import torch

from airdeliver import AnalogLink, Report, deliver, evaluate
from airdeliver.sample import Sample
from channels import AWGN
from experiments.monte_carlo import Realizations


def test_blocks_evaluated_one_after_the_other_are_the_whole():
    """The report of 16 + 16 realizations is that of 32 at once: the first realizations are always the same."""
    model = torch.nn.Linear(8, 4)
    images, labels = torch.randn(100, 8, generator=torch.Generator().manual_seed(0)), torch.arange(100) % 4

    def send(count: int):
        return deliver(model, AnalogLink(), AWGN(), 3.0, 10_000, realizations=count, seed=1)

    evaluated: list[int] = []

    def score(delivery):
        evaluated.append(delivery.realizations)
        return evaluate(delivery, images, labels)

    _, report = Realizations(16, 32, until=1e-9).measure(send, score)
    whole = evaluate(send(32), images, labels)
    assert evaluated == [16, 16]
    assert torch.equal(report.scores, whole.scores)
    assert (report.low, report.high, report.channel_low) == (whole.low, whole.high, whole.channel_low)


def test_shared_images_do_not_depend_on_the_looks():
    """Blocks evaluated one after the other meet the images that they would have met at once."""
    model = torch.nn.Linear(8, 4)
    images, labels = torch.randn(100, 8, generator=torch.Generator().manual_seed(0)), torch.arange(100) % 4

    def send(count: int):
        return deliver(model, AnalogLink(), AWGN(), 3.0, 10_000, realizations=count, seed=1)

    def score(delivery):
        return evaluate(delivery, images, labels, images_each=20)

    _, report = Realizations(16, 48, until=1e-9, images=20).measure(send, score)
    assert torch.equal(report.scores.nan_to_num(-1), score(send(48)).scores.nan_to_num(-1))


def test_stops_when_the_interval_is_narrow_enough(sweeps, tmp_path: Path):
    run = sweeps.here(tmp_path, "scheme=[clean]", "snr_db=[5,30]", "realizations={until: 0.03, at_most: 32}")
    table = run.table.set_index("snr_db")
    half = (table["accuracy_channel_high"] - table["accuracy_channel_low"]) / 2
    assert table.loc[30, "realizations"] == 16
    assert half[30] <= 0.03
    assert table.loc[5, "realizations"] == 32 or half[5] <= 0.03


@pytest.mark.parametrize(("at_least", "at_most", "until"), [(0, 4, None), (5, 4, None), (16, 40, 0.01), (16, 32, 0.0)])
def test_bad_numbers_are_refused(at_least: int, at_most: int, until: float | None):
    with pytest.raises(ValueError, match="realizations"):
        Realizations(at_least, at_most, until)


def test_no_images_are_refused():
    with pytest.raises(ValueError, match=r"realizations\.images must be at least 1"):
        Realizations(16, 16, images=0)


@pytest.mark.parametrize("images", [None, 64])
def test_stopping_keeps_the_coverage(images: int | None):
    """The channel's interval of an adaptive evaluation, 300 times, over what a network's scores look like.

    A population of 400 realizations of 400 images stands for all realizations: its mean is the truth.
    """
    generator = torch.Generator().manual_seed(0)
    latent = 1.0 + 0.1 * torch.randn(400, 1, generator=generator) + 2.0 * torch.randn(1, 400, generator=generator)
    population = (latent + 0.5 * torch.randn(400, 400, generator=generator) > 0).float()
    truth = float(population.mean())
    rule = Realizations(32, 512, until=0.01, images=images)
    covered = 0
    for _ in range(300):
        scores, count = torch.empty(0, 400), rule.at_least
        while True:
            more = population[torch.randint(400, (count - len(scores),), generator=generator)]
            scores = torch.cat([scores, more if images is None else _shared(more, images, generator)])
            report = Report.of(Sample.of(scores), 1.0, 0, 0.0)
            wanted = rule.after(count, (report.channel_high - report.channel_low) / 2)
            if wanted == count:
                break
            count = wanted
        covered += report.channel_low <= truth <= report.channel_high
    assert 0.92 <= covered / 300 <= 0.98


def _shared(whole: torch.Tensor, each: int, generator: torch.Generator) -> torch.Tensor:
    shares = torch.rand(whole.shape, generator=generator).argsort(1)[:, :each]
    return torch.full_like(whole, torch.nan).scatter(1, shares, whole.gather(1, shares))
