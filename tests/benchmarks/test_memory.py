"""A large network over the digital link takes at most three times its payload's memory."""

import pytest

from airdeliver import DigitalLink
from benchmarks.fresh import in_fresh_process
from benchmarks.memory import digital

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("side", [1000, 2000])
def test_the_ideal_code_takes_three_payloads(side):
    """At 4 and 16 million values, whatever is imported and read in on the way included."""
    peak, _ = in_fresh_process(digital, side)
    assert peak <= 3


@pytest.mark.parametrize("phy", ["abstraction", "capacity"])
def test_each_depth_takes_three_payloads_at_4_million_values(phy):
    """Beside what a delivery of a million values has imported, compiled and tried out before it."""
    peak, _ = in_fresh_process(digital, 1000, DigitalLink(phy), 520)
    assert peak <= 3
