"""A sweep becomes cells, the trainings that they need, and the graph of both."""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from itertools import product
from typing import Any

from airdeliver import AnalogLink, Execution, Problem
from airdeliver.data import load_dataset
from airdeliver.links import Knowledge
from airdeliver.links.base import generic
from airdeliver.payload import layout_of
from airdeliver.schemes import About
from airdeliver.schemes.answers import served_by, trainings_of
from airdeliver.training import Training
from channels import Channel
from experiments.cell import CellStage
from experiments.configuration import MARK, Sweep
from experiments.own import is_own
from experiments.stage import DatasetSource, ProblemSource, Stage, TrainingStage, closure
from experiments.store import Store
from experiments.store.key import code, describe, digest


@dataclass(frozen=True)
class Cell:
    """One row of the table: its names, and the stage that its numbers come from."""

    scheme: str
    dataset: str
    model: str
    channel: str
    knowledge: str
    snr_db: float
    channel_uses: int
    seed: int
    about: About
    train_channel: str
    metric: str
    bounds: tuple[float, float]
    floor: float
    overrides: str
    stage: CellStage


@dataclass(frozen=True)
class Plan:
    """All cells in the order of the table, and the stages that they come from, each once."""

    cells: tuple[Cell, ...]
    trainings: tuple[TrainingStage, ...]

    @property
    def stages(self) -> Iterator[Stage]:
        """What there is to do: trainings first, equal cells once."""
        yield from self.trainings
        yield from {cell.stage.key: cell.stage for cell in self.cells}.values()

    def unfinished(self, store: Store) -> list[Stage]:
        """The stages whose results are not, or not whole, in the store; of the trainings those that a cell needs."""
        cells = {c.stage.key: c.stage for c in self.cells if store.read("cell", c.stage.key) is None}
        wanted = {need for stage in cells.values() for need in stage.needs}
        trainings = [t for t in self.trainings if t.key in wanted and store.read("training", t.key) is None]
        return [*trainings, *cells.values()]

    def finished(self, store: Store) -> list[tuple[Cell, Mapping[str, Any]]]:
        """The cells whose results are in the store, in the order of the table, with their records."""
        read = ((cell, store.read("cell", cell.stage.key)) for cell in self.cells)
        return [(cell, entry.record) for cell, entry in read if entry is not None]


def plan(sweep: Sweep) -> Plan:
    """Expand a sweep.

    Raises:
        DataError: there is no such data set.
    """
    return _Planner(sweep).plan()


def matched_channel_uses(problem: Problem, channel: Channel, normalisation: str) -> int:
    """The exact cost of the unpruned model sent analog without expansion, side information included: `1x`.

    Generic values are counted: what is constant in an untrained network (biases of zero, say) is not in a trained one.

    Args:
        problem: whose model.
        channel: whose pilots.
        normalisation: `frozen` if batch-norm statistics are sent, `receiver` if not.
    """
    layout = layout_of(problem.build(), statistics=normalisation != "receiver")
    return channel.uses(AnalogLink().plan(generic(layout), None, Knowledge()).symbols)


@dataclass
class _Planner:
    sweep: Sweep
    trainings: dict[str, TrainingStage] = field(default_factory=dict)
    known: dict[Training, str] = field(default_factory=dict)

    def plan(self) -> Plan:
        sweep = self.sweep
        dataset = load_dataset(sweep.dataset, sweep.dataset_path)
        self.source = DatasetSource(sweep.dataset, sweep.dataset_path, dataset.fingerprint)
        self.problems = {seed: self._problem(seed) for seed in sweep.seeds}
        self.loaded = {seed: source.load() for seed, source in self.problems.items()}
        first = self.loaded[sweep.seeds[0]]
        cells: list[Cell] = []
        for name, scheme in sweep.schemes.items():
            scheme_description = describe(scheme)
            for channel_name, channel in sweep.channels.items():
                unit = matched_channel_uses(first, channel, sweep.matched_normalisation)
                common = {"scheme": scheme_description, "channel": describe(channel)}
                budgets = dict.fromkeys(_resolved(given, unit) for given in sweep.channel_uses)
                for uses, seed in product(budgets, sweep.seeds):
                    cells += self._cells(name, channel_name, uses, seed, common)
        return Plan(tuple(sorted(cells, key=self._order())), tuple(self.trainings.values()))

    def _problem(self, seed: int) -> ProblemSource:
        s = self.sweep
        execution = Execution(seed, s.threads, s.device)
        return ProblemSource(self.source, s.model, s.training, s.fine_tuning, execution)

    def _order(self) -> Any:
        sweep = self.sweep
        schemes, channels = list(sweep.schemes), list(sweep.channels)
        return lambda cell: (
            schemes.index(cell.scheme.removesuffix(MARK)),
            channels.index(cell.channel.removesuffix(MARK)),
            sweep.knowledge.index(cell.knowledge),
            cell.channel_uses,
            sweep.seeds.index(cell.seed),
            cell.snr_db,
        )

    def _cells(self, name: str, channel_name: str, uses: int, seed: int, common: dict[str, Any]) -> Iterator[Cell]:
        """The cells of one scheme, channel, budget and seed: what they share is worked out once."""
        sweep, source = self.sweep, self.problems[seed]
        scheme, channel = sweep.schemes[name], sweep.channels[channel_name]
        trainings = trainings_of(scheme, self.loaded[seed], channel.symbols(uses))
        keys = tuple(self._training(training, source) for training in closure(trainings))
        description = {
            "stage": "cell",
            **common,
            "problem": self._problem_description(source),
            "trainings": list(keys),
            "channel_uses": uses,
            "realizations": describe(sweep.realizations),
            "test_images": sweep.test_images,
            "precision": sweep.precision,
        }
        if is_own(scheme) and not sweep.conformance:  # nobody looked whether its cells come out the same again
            description["conformance"] = "off"
        description["code"] = code("cell", description)
        parts = {part: digest(value) for part, value in description.items()}
        about, task = sweep.about(name), served_by(scheme, self.loaded[seed].task)
        overrides = sweep.overrides_of(name, channel_name)
        called = name + sweep.mark(f"scheme.{name}"), channel_name + sweep.mark(f"channel.{channel_name}")
        model = sweep.model_name + sweep.mark("model")
        through = self._named(about.train_channel)
        like = f"evaluating {describe(sweep.model)} on {sweep.dataset}, {sweep.threads} threads, {sweep.device}"
        for knowledge, snr_db in product(sweep.knowledge, sweep.snr_db):
            here = {"knowledge": knowledge, "snr_db": describe(snr_db)}
            if sweep.side_information != "fixed":
                here["side_information"] = sweep.side_information
            stage = CellStage(
                key=digest({**parts, **here}),
                description={**description, **here},
                label=f"cell {name}, {channel_name}, {snr_db:g} dB, {uses} uses, knowledge {knowledge}, seed {seed}",
                problem=source,
                needs=keys,
                like=like,
                amount=sweep.realizations.at_least,
                scheme=scheme,
                channel=channel,
                knowledge=knowledge,
                snr_db=snr_db,
                channel_uses=uses,
                realizations=sweep.realizations,
                test_images=sweep.test_images,
                precision=sweep.precision,  # type: ignore[arg-type]
                side_information=sweep.side_information,  # type: ignore[arg-type]
                examined=sweep.conformance,
            )
            yield Cell(
                called[0], sweep.dataset, model, called[1], knowledge, snr_db, uses, seed,
                about, through, task.metric, task.bounds, task.floor, overrides, stage,
            )  # fmt: skip

    def _problem_description(self, source: ProblemSource) -> dict[str, Any]:
        """What a cell depends on of its problem; the recipes are in the keys of the trainings."""
        execution = source.execution
        return {
            "task": describe(source.load().task.purpose),
            "model": describe(source.model),
            "seed": execution.seed,
            "threads": execution.threads,
            "device": execution.device.partition(":")[0],
        }

    def _training(self, training: Training, source: ProblemSource) -> str:
        """The key of a training, which becomes a stage the first time that it is asked for."""
        if training in self.known:
            return self.known[training]
        needs = tuple(self.known[need] for need in training.needs)
        description = {
            "stage": "training",
            "training": describe(training),
            "needs": list(needs),
            "device": source.execution.device.partition(":")[0],
        }
        description["code"] = code("training", description)
        key = digest(description)
        self.known[training] = key
        recipe = training.recipe
        self.trainings[key] = TrainingStage(
            key=key,
            description=description,
            label=f"{training.method.words}, seed {training.seed}",
            problem=source,
            needs=needs,
            like=f"training {describe(training.method.model)} on {training.purpose.dataset}, "
            f"{training.threads} threads, {recipe.precision}, batches of {recipe.batch_size}, "
            f"{source.execution.device}",
            amount=recipe.epochs,
            training=training,
        )
        return key

    def _named(self, channel: Channel | None) -> str:
        """What the channel of a training is called in tables: as in the sweep, else by its class; empty for none."""
        if channel is None:
            return ""
        wanted = describe(channel)
        return next((n for n, c in self.sweep.channels.items() if describe(c) == wanted), type(channel).__name__)


def _resolved(given: int | str, unit: int) -> int:
    """Channel uses as an integer; a share of matched bandwidth is rounded up."""
    return given if isinstance(given, int) else math.ceil(Fraction(given.rstrip("x")) * unit)
