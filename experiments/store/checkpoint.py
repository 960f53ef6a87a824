"""The last finished epoch of a training that goes on."""

from collections.abc import Mapping
from typing import Any

from torch import Tensor

from experiments.store import tensors as tensor_files
from experiments.store.atomic import WriteError
from experiments.store.store import Store, StoreError


class StoredCheckpoint:
    """Keeps every epoch of one training in the store, until `remove`; an `airdeliver.training.Checkpoint`.

    Args:
        store: where.
        key: of the training.
        epochs: that it will take, for the journal.
    """

    def __init__(self, store: Store, key: str, epochs: int = 0) -> None:
        self.store, self.key, self.epochs = store, key, epochs
        self.path = store.folder / "checkpoint" / f"{key}.safetensors"

    def load(self) -> tuple[Mapping[str, Tensor], Mapping[str, Any]] | None:
        """The last epoch, or None if there is none or it is damaged."""
        try:
            tensors, record, _ = tensor_files.read(self.path)
        except (FileNotFoundError, ValueError):
            return None
        self.store.journal.write("resumed", stage="training", key=self.key, epoch=len(record.get("epochs", ())))
        return tensors, record

    def save(self, tensors: Mapping[str, Tensor], record: Mapping[str, Any]) -> None:
        """Keep an epoch.

        Raises:
            StoreError: the disk is full, or the store not writable.
        """
        details = {"stage": "training", "key": self.key}
        self.store.journal.write("writing", **details)
        try:
            tensor_files.write(self.path, tensors, record)
        except WriteError as error:
            raise StoreError(str(error)) from error
        self.store.journal.write("epoch", **details, epoch=len(record.get("epochs", ())), epochs=self.epochs)

    def remove(self) -> None:
        """Forget it: the training is finished."""
        self.path.unlink(missing_ok=True)
