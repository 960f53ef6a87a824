"""The page on quantisers: errors on a Gaussian source are what the code has."""

import math
import re
from pathlib import Path

import pytest
import torch

from airdeliver.compression.quantisers import RateDistortion, TrellisCoded
from airdeliver.payload import Layout, Payload, Segment

PAGE = (Path(__file__).parents[2] / "docs" / "quantisers.md").read_text(encoding="utf-8")
ROWS = re.findall(r"^\| ([\d.]+) \| ([\d.]+) \| ([\d.]+) \| ([\d.]+) \| ([\d.]+) \| ([\d.]+) dB \|", PAGE, re.MULTILINE)
COUNT = 16_384


def error(quantiser: RateDistortion, rate: float) -> float:
    """Of a Gaussian source, brought to exactly this rate."""
    values = torch.randn(COUNT, generator=torch.Generator().manual_seed(3))
    payload = Payload(values, Layout((Segment("0.weight", (COUNT,)),)))
    levels = quantiser.fit(payload, None, lambda levels: levels.bits / COUNT, rate)
    relative = float((levels.values() - values).square().mean() / values.square().mean())
    return relative * 4 ** (levels.bits / COUNT - rate)


@pytest.mark.parametrize("row", ROWS[1:], ids=lambda row: row[0])
def test_errors_on_a_gaussian_source_are_those_of_the_page(row):
    """Within 4 standard errors of a mean of squared errors, each deviating by at most twice its mean; and 1 %."""
    rate, limit, plain, _, followed, gain = map(float, row)
    assert limit == pytest.approx(4**-rate, rel=1e-3)
    tolerance = 0.01 + 4 * 2 / math.sqrt(COUNT)
    assert error(RateDistortion(), rate) == pytest.approx(plain, rel=tolerance)
    assert error(TrellisCoded(), rate) == pytest.approx(followed, rel=tolerance)
    assert gain == pytest.approx(10 * math.log10(plain / followed), abs=0.02)


def test_the_page_has_the_rates_that_are_asked_about():
    assert [float(rate) for rate, *_ in ROWS] == [0.3, 0.5, 1, 2]
