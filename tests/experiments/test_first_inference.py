"""The time to the first inference: layers arrive one after the other through the full chain."""

import pytest

from airdeliver.cost import Carrier
from experiments import first_inference


def test_layers_are_there_in_their_order_and_whole():
    """An eighth of the payload is there after an eighth of the time, but for the checks of its code blocks."""
    carrier = Carrier(400, 3)
    grade, found = first_inference.send(0.02, (0.125, 0.375, 0.5), 20.0, 0, carrier)
    assert grade > 0
    assert [arrival.megabytes for arrival in found] == pytest.approx([0.0025, 0.01, 0.02])
    assert all(arrival.whole for arrival in found)
    assert found[0].milliseconds == pytest.approx(found[-1].milliseconds / 8, rel=0.02)
    assert found[-1].milliseconds == carrier.milliseconds(found[-1].symbols)


def test_what_it_prints(capsys):
    first_inference.main(["--megabytes", "0.01", "--layers", "0.25", "0.75"])
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("0.01 MByte over AWGN of 20 dB, 400 MHz NR carrier")
    assert lines[3].startswith("first inference: ")


def test_shares_that_are_none_are_refused():
    with pytest.raises(SystemExit, match="layers shares above 0 whose sum is 1"):
        first_inference.main(["--layers", "0.5", "0.6"])
