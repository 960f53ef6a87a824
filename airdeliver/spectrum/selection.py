"""Which member suits a channel: rules on a table of accuracies."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float, Int64
from torch import Tensor

NODES = 21
"""Nodes of the Gauss-Hermite quadrature over the error of an SNR estimate."""


@dataclass(frozen=True, eq=False)
class AccuracyTable:
    """Accuracy of every member at some SNRs, measured on the validation split.

    Args:
        snr_db: increasing, in dB.
        accuracy: in 0..1, a row a member.

    Raises:
        ValueError: SNRs that do not increase, or another number of them than of columns.

    >>> table = AccuracyTable((0.0, 10.0), torch.tensor([[0.6, 0.7], [0.2, 0.9]]))
    >>> table.at(torch.tensor([-5.0, 5.0])).tolist()
    [[0.6000000238418579, 0.6499999761581421], [0.20000000298023224, 0.550000011920929]]
    """

    snr_db: Sequence[float]
    accuracy: Float[Tensor, "members snrs"]

    def __post_init__(self) -> None:
        snrs = list(self.snr_db)
        if not snrs or snrs != sorted(set(snrs)) or len(snrs) != self.accuracy.shape[1]:
            raise ValueError(
                f"a table needs increasing SNRs, one for each of its {self.accuracy.shape[1]} columns, got {snrs}"
            )

    def at(self, snr_db: Float[Tensor, "*n"]) -> Float[Tensor, "members *n"]:
        """Accuracy of every member at any SNR in dB: linear in between, constant beyond the ends."""
        known = torch.tensor(list(self.snr_db), dtype=torch.float64)
        wanted = snr_db.double().cpu().clamp(known[0], known[-1])
        right = torch.searchsorted(known, wanted.contiguous()).clamp(1, max(1, len(known) - 1))
        if len(known) == 1:
            return self.accuracy[:, :1].expand(-1, wanted.numel()).reshape(-1, *wanted.shape)
        share = ((wanted - known[right - 1]) / (known[right] - known[right - 1])).to(self.accuracy.dtype)
        return self.accuracy[:, right - 1] * (1 - share) + self.accuracy[:, right] * share


@dataclass(frozen=True)
class Selection:
    """How a sender chooses a member.

    Args:
        error_db: standard deviation in dB of the sender's estimate of the SNR, Gaussian; 0 for perfect knowledge.

    Raises:
        ValueError: a negative error.

    >>> table = AccuracyTable((0.0, 10.0), torch.tensor([[0.6, 0.7], [0.1, 0.9]]))
    >>> Selection().choose(table, torch.tensor([0.0, 10.0])).tolist()
    [0, 1]
    """

    error_db: float = 0.0

    def __post_init__(self) -> None:
        if not self.error_db >= 0:
            raise ValueError(f"error_db must be 0 or more, got {self.error_db}")

    def expected(self, table: AccuracyTable, snr_db: Float[Tensor, "n"]) -> Float[Tensor, "members n"]:
        """Mean accuracy of each member where the true SNR is Gaussian around each estimate.

        Gauss-Hermite quadrature: for a polynomial it would be exact up to degree 41.
        """
        if self.error_db == 0:
            return table.at(snr_db)
        nodes, weights = np.polynomial.hermite_e.hermegauss(NODES)
        true = snr_db.double().cpu().unsqueeze(-1) + self.error_db * torch.from_numpy(nodes)
        share = torch.from_numpy(weights / math.sqrt(2 * math.pi))
        return (table.at(true).double() * share).sum(-1).to(table.accuracy.dtype)

    def choose(self, table: AccuracyTable, snr_db: Float[Tensor, "n"]) -> Int64[Tensor, "n"]:
        """The member of highest expected accuracy at each estimate; of equals, the smaller."""
        return self.expected(table, snr_db).argmax(0)
