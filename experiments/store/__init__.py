"""The store: finished work, found again by everything that determines it."""

from experiments.store.atomic import WriteError, write_bytes, write_whole
from experiments.store.checkpoint import StoredCheckpoint
from experiments.store.store import Entry, Store, StoreError

__all__ = ["Entry", "Store", "StoreError", "StoredCheckpoint", "WriteError", "write_bytes", "write_whole"]
