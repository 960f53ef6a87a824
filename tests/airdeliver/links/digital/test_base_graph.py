"""The graphs and lifting sizes against Sionna's, which follow the same standard."""

import numpy as np
import pytest

from airdeliver.links.digital.base_graph import LIFTING_SIZES, BaseGraph, select_base_graph, select_lifting
from tests.later import Later

ldpc = Later("sionna.phy.fec.ldpc")


@pytest.mark.parametrize(
    ("bits", "sent"),
    [(12, 40), (192, 400), (193, 400), (561, 1000), (641, 3000), (3840, 9000), (3841, 9000), (8448, 9000)],
)
def test_block_gets_the_code_of_the_standard(bits, sent):
    encoder = ldpc.LDPC5GEncoder(bits, sent)
    number = select_base_graph(bits, bits / sent)
    graph = BaseGraph(number, select_lifting(bits, number))
    assert graph.lifting == encoder.z
    row, column, shift = graph.entries.T
    checks = encoder.pcm[: graph.lifting * graph.rows].tocoo()
    assert checks.shape == (graph.rows * graph.lifting, graph.columns * graph.lifting)
    first = checks.row % graph.lifting == 0
    ours = set(zip(row * graph.lifting, column * graph.lifting + shift))
    assert ours == set(zip(checks.row[first], checks.col[first]))


def test_every_lifting_size_is_a_graph():
    sizes = [size for sizes in LIFTING_SIZES for size in sizes]
    assert len(sizes) == 51
    for size in sizes:
        for number, entries in ((1, 316), (2, 197)):
            graph = BaseGraph(number, size)
            assert graph.entries.shape == (entries, 3)
            assert np.all(graph.entries[:, 2] < size)


@pytest.mark.parametrize(
    ("bits", "rate", "number"), [(292, 0.9, 2), (293, 0.68, 1), (3824, 0.67, 2), (3825, 0.67, 1), (10_000, 0.25, 2)]
)
def test_base_graph_is_chosen_by_size_and_rate(bits, rate, number):
    assert select_base_graph(bits, rate) == number


def test_bad_arguments_are_refused():
    with pytest.raises(ValueError, match="base graph must be 1 or 2"):
        BaseGraph(3, 8)
    with pytest.raises(ValueError, match="lifting size"):
        BaseGraph(1, 17)
    with pytest.raises(ValueError, match="8448"):
        select_lifting(8449, 1)
