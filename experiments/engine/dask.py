"""dask.distributed: workers here, at an address, or of a cluster's queue."""

import math
import time
from dataclasses import dataclass, field
from typing import Any

from experiments.engine.base import Engine, Outcome, one_line, perform
from experiments.stage import Stage
from experiments.store import Store

COUNTED_EVERY_S = 1.0
"""Workers come and go rarely, and to count them asks the scheduler for what it knows of each: not twice a task."""


@dataclass
class Dask(Engine):
    """Stages as tasks of dask.distributed; a lost worker's task runs again elsewhere. Workers share the store's folder.

    Args:
        workers: processes on this machine, or jobs of the cluster.
        scheduler: address of a running scheduler, such as `tcp://host:8786`; None to start one.
        cluster: a cluster of dask-jobqueue (`SLURMCluster`, `PBSCluster`); None for this machine.
        gpus: that each worker has; above 0, a task takes one as the dask resource `GPU`.

    Raises:
        ValueError: fewer than one worker.
    """

    workers: int = 2
    scheduler: str | None = None
    cluster: Any = None
    gpus: int = 0
    _client: Any = field(default=None, init=False)
    _completed: Any = field(default=None, init=False)
    _folder: str = field(default="", init=False)
    _running: int = field(default=0, init=False)
    _counted: float = field(default=-math.inf, init=False)

    def __post_init__(self) -> None:
        if self.workers < 1:
            raise ValueError(f"workers must be at least 1, got {self.workers}")

    @property
    def slots(self) -> int:  # type: ignore[override]
        """Twice as many as there are workers, so that none waits for this process."""
        if self._client is not None and time.monotonic() - self._counted >= COUNTED_EVERY_S:
            self._running, self._counted = len(self._client.nthreads()), time.monotonic()
        return 2 * max(self._running, self.workers)

    def open(self, store: Store) -> None:  # noqa: D102
        from distributed import Client, LocalCluster, as_completed

        self._folder = str(store.folder.resolve())
        if self.scheduler is not None:
            self._client = Client(self.scheduler)
        else:
            if self.cluster is None:
                resources = {"GPU": self.gpus} if self.gpus else {}
                self.cluster = LocalCluster(
                    n_workers=self.workers, threads_per_worker=1, dashboard_address=":0", resources=resources
                )
            else:
                self.cluster.scale(jobs=self.workers)
            self._client = Client(self.cluster)
        self._completed = as_completed()

    def submit(self, stage: Stage) -> None:  # noqa: D102
        resources = {"GPU": 1} if self.gpus else None
        self._completed.add(
            self._client.submit(_task, stage, self._folder, key=f"{stage.kind}-{stage.key}", resources=resources)
        )

    def wait(self) -> list[Outcome]:  # noqa: D102
        future = next(self._completed)
        kind, key = future.key.split("-", 1)
        error = future.exception()
        if error is None:
            return [future.result()]
        return [Outcome(key, f"its {kind} task was lost ({one_line(error)})")]

    def close(self) -> None:  # noqa: D102
        if self._client is not None:
            self._client.close()
        if self.cluster is not None:
            self.cluster.close()


def _task(stage: Stage, folder: str) -> Outcome:
    return perform(stage, Store(folder))
