"""What a sweep is made of: the training of a network, and the evaluation of a cell."""

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, ClassVar

import torch
from torch import Tensor

from airdeliver import Execution, Problem
from airdeliver.data import Dataset, load_dataset
from airdeliver.models import ModelBuilder
from airdeliver.plain import attributes, from_plain, to_plain
from airdeliver.recipe import Recipe
from airdeliver.task import Task, task_of
from airdeliver.training import Trained, Training
from experiments.store import Entry, Store, StoredCheckpoint


@dataclass(frozen=True)
class DatasetSource:
    """Where a data set comes from; cheap to send to a worker.

    Args:
        name: for `airdeliver.data.load_dataset`.
        path: a local folder, or None.
        fingerprint: what its content must be.
    """

    name: str
    path: str | None
    fingerprint: str

    def load(self) -> Dataset:
        """The data set, once a process.

        Raises:
            ValueError: its content is not what it was when the sweep was planned.
        """
        dataset = _loaded(self.name, self.path)
        if dataset.fingerprint != self.fingerprint:
            raise ValueError(f"data set {self.name} has changed since the sweep was planned: start it again")
        return dataset


@lru_cache(maxsize=2)
def _loaded(name: str, path: str | None) -> Dataset:
    return load_dataset(name, path)


@lru_cache(maxsize=2)
def _task(dataset: DatasetSource) -> Task:
    """Of the data set without its test split, which is for scores alone: see `served`."""
    return task_of(dataset.load().sealed)


@dataclass(frozen=True)
class ProblemSource:
    """A problem without its data; cheap to send to a worker. The fields are those of `airdeliver.Problem`."""

    dataset: DatasetSource
    model: ModelBuilder
    training: Recipe
    fine_tuning: Recipe
    execution: Execution

    def load(self) -> Problem:
        """The problem."""
        return Problem(_task(self.dataset), self.model, self.training, self.fine_tuning, self.execution)


@dataclass(frozen=True, eq=False)
class Stage(ABC):
    """One piece of work, found again in the store by its key.

    Args:
        key: digest of the description.
        description: everything that determines the result, JSON.
        label: what it is, for people.
        problem: task, model, recipes, seed, threads and device.
        needs: keys of the trainings that must be finished before.
        like: what its time is compared with.
        amount: of work, in epochs or realizations.
    """

    key: str
    description: Mapping[str, Any] = field(repr=False)
    label: str
    problem: ProblemSource
    needs: tuple[str, ...]
    like: str
    amount: float

    kind: ClassVar[str]
    timed: ClassVar[str]

    def entry(self, record: dict[str, Any], tensors: Mapping[str, Tensor] | None = None) -> Entry:
        """What came out, as the store keeps it."""
        return Entry(self.kind, self.key, self.label, self.description, record, tensors or {})

    @abstractmethod
    def compute(self, store: Store) -> Entry:
        """Do the work."""

    def run(self, store: Store) -> None:
        """Do the work unless it is done; if another process is at it, wait for its result."""
        with store.lock(self.key):
            if store.read(self.kind, self.key) is not None:
                return
            store.journal.write("started", stage=self.kind, key=self.key, label=self.label)
            entry = self.compute(store)
            store.write(entry)
            details = {"like": self.like, "amount": self.amount, "seconds": entry.record[self.timed]}
            store.journal.write("finished", stage=self.kind, key=self.key, **details)
            StoredCheckpoint(store, self.key).remove()


@dataclass(frozen=True, eq=False)
class TrainingStage(Stage):
    """The training of one network."""

    training: Training

    kind = "training"
    timed = "train_seconds"

    def compute(self, store: Store) -> Entry:  # noqa: D102
        to_plain(self.training.method.model, attributes)  # what the store could not keep is refused before the work
        trained = {need: _read(store, key) for need, key in zip(self.training.needs, self.needs, strict=True)}
        checkpoint = StoredCheckpoint(store, self.key, self.training.recipe.epochs)
        problem = self.problem.load()
        result = self.training.run(problem.task, trained, checkpoint, problem.execution.device)
        what = {"architecture": to_plain(result.architecture, attributes), "description": result.description.hex()}
        return self.entry({**what, **result.state}, dict(result.tensors))


class StoredTrainings(Mapping[Training, Trained]):
    """Finished networks, read when they are asked for."""

    def __init__(self, store: Store, keys: Mapping[Training, str]) -> None:
        self.store, self.keys_of = store, keys

    def __getitem__(self, training: Training) -> Trained:
        return _read(self.store, self.keys_of[training])

    def __iter__(self) -> Iterator[Training]:
        return iter(self.keys_of)

    def __len__(self) -> int:
        return len(self.keys_of)


def closure(trainings: tuple[Training, ...]) -> list[Training]:
    """Trainings and all that they need, what is needed first, each once."""
    ordered: dict[Training, None] = {}

    def add(training: Training) -> None:
        for need in training.needs:
            add(need)
        ordered.setdefault(training)

    for training in trainings:
        add(training)
    return list(ordered)


def _read(store: Store, key: str) -> Trained:
    entry = store.read("training", key)
    if entry is None:
        raise ValueError(f"training {key[:12]} was damaged after it had been used: run the sweep again")
    state = dict(entry.record)
    architecture = from_plain(state.pop("architecture"), trusted=None)
    return Trained(entry.tensors, architecture, bytes.fromhex(state.pop("description")), state)


@lru_cache(maxsize=2)
def served(dataset: DatasetSource, examples: int | None, device: str) -> tuple[Tensor, Tensor]:
    """Prepared test inputs and their targets, once a process.

    Args:
        dataset: whose test split.
        examples: how many, a seeded-random choice that is always the same; None for all.
        device: where they live.
    """
    loaded = dataset.load()
    rows = torch.arange(len(loaded.test))
    if examples is not None:
        rows = torch.randperm(len(rows), generator=torch.Generator().manual_seed(0))[:examples].sort().values
    inputs, targets = loaded.test.take(rows)
    return loaded.prepare(inputs.to(device)), targets.to(device)
