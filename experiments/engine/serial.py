"""One stage after the other, in this process."""

from dataclasses import dataclass, field

from experiments.engine.base import Engine, Outcome, perform
from experiments.stage import Stage
from experiments.store import Store


@dataclass
class Serial(Engine):
    """Does a stage when it is waited for."""

    _store: Store | None = field(default=None, init=False)
    _stage: Stage | None = field(default=None, init=False)

    def open(self, store: Store) -> None:  # noqa: D102
        self._store = store

    def submit(self, stage: Stage) -> None:  # noqa: D102
        self._stage = stage

    def wait(self) -> list[Outcome]:  # noqa: D102
        assert self._store is not None
        assert self._stage is not None
        return [perform(self._stage, self._store)]

    def close(self) -> None:  # noqa: D102
        self._stage = None
