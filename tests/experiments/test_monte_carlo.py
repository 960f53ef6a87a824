"""As many realizations as it takes."""

from pathlib import Path

import pytest
import torch

from airdeliver import AnalogLink, deliver, evaluate
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
