"""The page on the container: its tables are the code's, and its example is a container."""

import re
from pathlib import Path

import numpy as np
import pytest
import torch

from airdeliver.compression.codec import Levels, MidRise, OnGrid, RangeCoded
from airdeliver.compression.codec.bitstream import BitReader, read_varint
from airdeliver.compression.codec.head import MAGIC, VERSION
from airdeliver.compression.codec.reconstruction import KINDS
from airdeliver.compression.codec.trellis import LANE, Trellis
from airdeliver.payload import Layout, Segment

PAGE = (Path(__file__).parents[2] / "docs" / "container.md").read_text(encoding="utf-8")
LAYOUT = Layout((Segment("weight", (2, 3)), Segment("bias", (2,))))
(EXAMPLE,) = re.findall(r"```\n(.*?)```", PAGE, flags=re.DOTALL)
HEAD, *PACKETS = [bytes.fromhex(line) for line in EXAMPLE.splitlines()]
VALUES = [1 / 4, -1 / 4, 1 / 4, -1 / 4, 1 / 4, 1 / 4, 3 / 16, -1 / 8]


def test_the_example_is_what_the_code_writes_and_reads():
    numbers = np.array([0, -1, 0, -1, 0, 0, 3, -2])
    levels = Levels.fitted(LAYOUT, numbers, [MidRise(0.5), OnGrid(2048 - 64)], [0, 0], groups=(1, 1))
    container = RangeCoded().pack(levels, 64)
    assert container.data == HEAD + b"".join(PACKETS)
    assert container.groups == (len(HEAD) + len(PACKETS[0]), len(PACKETS[1]))
    assert RangeCoded().unpack(container.data, LAYOUT).values.tolist() == VALUES


def test_the_head_of_the_example_has_the_fields_of_the_page():
    """Read by the page's tables alone."""
    assert HEAD[:3] == MAGIC + bytes([VERSION | 0x30])
    fields, at = [], 3
    for _ in range(9):
        field, at = read_varint(HEAD, at)
        fields.append(field)
    assert fields == [64, 2, 1, 1, 1, 8, 1, 8, 9]
    assert at + 9 + 4 == len(HEAD)
    reader = BitReader(HEAD[at : at + 9])
    assert reader.read(2) == 2
    assert float(torch.tensor(reader.read(16) << 16, dtype=torch.int32).view(torch.float32)) == 0.5
    assert [reader.read_gamma(), reader.read_gamma()] == [0, 0]
    assert reader.read(1) == 1
    assert [reader.read(width) for width in (2, 7, 7)] == [0, 0, 127]
    assert reader.read(2) == 0
    folded = reader.read_gamma() << 4 | reader.read(4)
    assert 2 ** (-folded / 2 / 16) == 1 / 16


def test_every_kind_and_version_is_on_the_page():
    kinds = re.findall(r"^\| ([0-9]) \| (mid-tread|mid-rise|codebook)", PAGE, flags=re.MULTILINE)
    assert [int(number) for number, _ in kinds] == list(range(len(KINDS)))
    assert [kind.kind for kind in KINDS] == list(range(len(KINDS)))
    assert f"This is version {VERSION}." in PAGE


@pytest.mark.parametrize("name", sorted(set(re.findall(r"`(airdeliver\.[\w.]+)`", PAGE))))
def test_what_the_page_names_exists(name):
    module, *rest = name.split(".")
    found = __import__(module)
    for part in rest:
        found = getattr(found, part)


def test_the_trellis_is_that_of_the_page():
    rows = re.findall(r"^\| ([48]) \| ([0-9, ]+) \| ([0-9, ]+) \| ([0-9, ]+) \|", PAGE, flags=re.MULTILINE)
    assert [int(states) for states, *_ in rows] == [4, 8]
    for states, *columns in rows:
        second, even, odd = ([int(number) for number in column.split(",")] for column in columns)
        trellis = Trellis(int(states))  # type: ignore[arg-type]
        assert np.flatnonzero(trellis.quantisers).tolist() == second
        assert trellis.following.T.tolist() == [even, odd]
    assert f"A *lane* is {LANE} consecutive values" in PAGE
