"""A large container that is sent some code blocks at a time arrives as it would have whole."""

import numpy as np
import pytest
import torch
from torch import Generator

from airdeliver.compression.codec import Container, Levels, OnGrid, RangeCoded
from airdeliver.links import Arrivals
from airdeliver.links.digital import full, pieces, rebuilding
from airdeliver.links.digital.full import Full
from airdeliver.links.digital.rebuilding import rebuilt
from airdeliver.payload import Layout, Segment
from channels import AWGN, Rayleigh


def container(first: int, second: int) -> Container:
    data = torch.randint(0, 256, (first + second,), generator=Generator().manual_seed(0), dtype=torch.uint8)
    return Container(bytes(data.tolist()), (first, second))


@pytest.mark.parametrize("snr_db", [2.0, 30.0])
@pytest.mark.parametrize("sizes", [(300, 11_003), (9_001, 10_000), (40, 0)])
@pytest.mark.parametrize("channel", [AWGN(), Rayleigh()])
def test_pieces_send_the_same_symbols(monkeypatch: pytest.MonkeyPatch, sizes, snr_db, channel):
    """The noise of one realization is drawn in order, so what arrives is the same to the bit."""
    monkeypatch.setattr(pieces, "_STRETCH", 1 << 12)
    monkeypatch.setattr(pieces, "AT_ONCE", 4)
    grade, sent = 8, container(*sizes)

    def carried(rows: int):
        symbols = Full().symbols(sent.groups, grade)
        state = channel.realize(rows, symbols, snr_db, Generator().manual_seed(1))
        return Full().carry(sent, grade, channel, state, Generator().manual_seed(2))

    whole = carried(1)
    monkeypatch.setattr(full, "LARGE", 1)
    pieced = carried(1)
    assert pieced.power == pytest.approx(whole.power, rel=1e-5)
    if snr_db == 30.0:
        assert carried(3).rows == whole.rows * 3 == [sent.data] * 3
    assert pieced.rows == whole.rows


def test_rows_of_a_large_payload_are_read_when_asked_for(monkeypatch: pytest.MonkeyPatch):
    layout = Layout((Segment("weight", (600,)),))
    levels = [Levels.fitted(layout, np.arange(600) % k, [OnGrid(2048)], [0]) for k in (3, 5)]
    one, other = (RangeCoded().pack(each).data for each in levels)
    rows = [one, None, other, b"no container", one]
    eager, arrived = rebuilt(rows, layout, RangeCoded(), torch.device("cpu"))
    monkeypatch.setattr(rebuilding, "LARGE", 1)
    lazy, told = rebuilt(rows, layout, RangeCoded(), torch.device("cpu"))
    assert isinstance(lazy, Arrivals)
    assert torch.equal(arrived, told)
    assert arrived.tolist() == [True, False, True, False, True]
    assert all(torch.equal(lazy[row], eager[row]) for row in range(5))
