"""Where a training keeps what it has so far."""

from collections.abc import Mapping
from typing import Any, Protocol, runtime_checkable

from torch import Tensor


@runtime_checkable
class Checkpoint(Protocol):
    """Remembers the last finished epoch of one training; without one, a training simply trains."""

    def load(self) -> tuple[Mapping[str, Tensor], Mapping[str, Any]] | None:
        """Tensors and JSON record of the last `save`, or None if there is none."""

    def save(self, tensors: Mapping[str, Tensor], record: Mapping[str, Any]) -> None:
        """Keep tensors and JSON record, replacing the last, whole or not at all."""
