"""LDPC encoding of 5G NR: parity bits row by row, as shifts and exclusive or."""

from jaxtyping import UInt8
from torch import Tensor

from airdeliver.links.digital.base_graph import BaseGraph

_CORE_ROWS = 4


def encode(
    information: UInt8[Tensor, "blocks information"], graph: BaseGraph, rows: int | None = None
) -> UInt8[Tensor, "blocks codeword"]:
    r"""Append the parity bits of the first `rows` rows of the graph.

    The four core rows share four parity columns. Their sum leaves the first of these alone, shifted, because its
    other two circulants are equal and cancel; every other parity column is the last circulant of a row, with shift 0.

    Args:
        information: bits 0 or 1, `graph.information_columns * graph.lifting` a block.
        graph: which code.
        rows: rows of parity to compute, at least 4; all by default.

    Returns:
        The codeword with the two information columns that are never sent.

    Raises:
        ValueError: another number of information bits, or fewer than 4 or too many rows.

    Source: 3GPP TS 38.212, 5.3.2; T. Richardson and S. Kudekar, Design of low-density parity check codes for 5G New
    Radio, IEEE Commun. Mag., 2018.

    >>> import torch
    >>> encode(torch.zeros(3, 220, dtype=torch.uint8), BaseGraph(1, 10)).shape
    torch.Size([3, 680])
    """
    rows = graph.rows if rows is None else rows
    size, first_parity = graph.lifting, graph.information_columns
    if information.shape[-1] != first_parity * size:
        raise ValueError(f"a block must have {first_parity * size} information bits, got {information.shape[-1]}")
    if not _CORE_ROWS <= rows <= graph.rows:
        raise ValueError(f"rows must be {_CORE_ROWS} to {graph.rows}, got {rows}")
    blocks = len(information)
    # Each column twice, so that a circular shift is one slice.
    twice = information.new_zeros(blocks, first_parity + rows, 2 * size)
    twice[:, :first_parity] = information.view(blocks, first_parity, size).repeat(1, 1, 2)
    entries = [entry for entry in graph.entries.tolist() if entry[0] < rows]

    core = information.new_zeros(blocks, size)
    for _, column, shift in (e for e in entries if e[0] < _CORE_ROWS and e[1] < first_parity):
        core ^= twice[:, column, shift : shift + size]
    shifts = [shift for row, column, shift in entries if row < _CORE_ROWS and column == first_parity]
    alone = next(shift for shift in shifts if shifts.count(shift) == 1)
    twice[:, first_parity] = core.roll(alone, -1).repeat(1, 2)

    # Row 3 is implied by the sum above.
    for row in (row for row in range(rows) if row != _CORE_ROWS - 1):
        *known, (_, target, _) = (entry for entry in entries if entry[0] == row)
        parity = twice[:, target]
        for _, column, shift in known:
            parity[:, :size] ^= twice[:, column, shift : shift + size]
        parity[:, size:] = parity[:, :size]
    return twice[:, :, :size].reshape(blocks, -1)
