"""How many tasks the Dask engine hands out, without a cluster."""

import math

from experiments.engine import Dask


class Cluster:
    """A client's answer to how many workers there are."""

    def __init__(self, workers: int) -> None:
        self.workers, self.asked = workers, 0

    def nthreads(self) -> dict[str, int]:
        self.asked += 1
        return {f"tcp://host:{number}": 1 for number in range(self.workers)}


def test_workers_are_counted_once_a_second_and_not_for_every_task():
    """The scheduler's answer grows with the workers: a thousand of them would be told twice a task."""
    engine, cluster = Dask(workers=2), Cluster(1000)
    assert engine.slots == 4
    engine._client = cluster
    assert [engine.slots for _ in range(50)] == [2000] * 50
    assert cluster.asked == 1
    cluster.workers, engine._counted = 5, -math.inf
    assert engine.slots == 10
    cluster.workers, engine._counted = 0, -math.inf  # none has come yet: as many as were asked for
    assert engine.slots == 4
