"""The evaluation of one cell: deliver over the channel, rebuild, score."""

import time
from dataclasses import asdict, dataclass, replace
from typing import Any, Literal

from airdeliver.delivery import Delivery
from airdeliver.delivery_cost import delivery_cost, served_uses
from airdeliver.evaluation import Report, evaluate
from airdeliver.links import KnowledgeKind
from airdeliver.links.side_information import Pace
from airdeliver.package import Package
from airdeliver.schemes import Scheme
from airdeliver.schemes.answers import check_repeats, packed_by, sent_by, served_by, trainings_of
from airdeliver.session import timeline
from airdeliver.training.training import threads
from channels import Channel
from experiments.monte_carlo import Realizations
from experiments.own import is_own
from experiments.stage import Stage, StoredTrainings, closure, served
from experiments.store import Entry, Store
from experiments.store.key import digest


@dataclass(frozen=True, eq=False)
class CellStage(Stage):
    """One point of a sweep.

    Args:
        scheme: the recipe.
        channel: physics.
        knowledge: what the sender knows of the channel.
        snr_db: mean SNR in dB.
        channel_uses: the budget.
        realizations: independent deliveries.
        test_images: how many; None for all.
        precision: of the forward passes.
        side_information: how fast it is sent, by scheme that sends once.
        examined: whether a scheme of one's own is asked twice for what it sends; no part of what identifies the result.
    """

    scheme: Scheme
    channel: Channel
    knowledge: KnowledgeKind
    snr_db: float
    channel_uses: int
    realizations: Realizations
    test_images: int | None
    precision: Literal["float32", "bfloat16"]
    side_information: Pace = "fixed"
    examined: bool = True

    kind = "cell"
    timed = "evaluate_seconds"

    def compute(self, store: Store) -> Entry:  # noqa: D102
        with threads(self.problem.execution.threads):
            record = self._result(store)
        return self.entry(record)

    def _result(self, store: Store) -> dict[str, Any]:
        package, train_seconds, stored = _packed(self, store)
        package = replace(package, side_information=self.side_information)
        started = time.perf_counter()
        device, seed = self.problem.execution.device, self.problem.execution.seed
        inputs, targets = served(self.problem.dataset, self.test_images, device)
        task = served_by(self.scheme, self.problem.load().task)
        images = self.realizations.images
        each = None if images is None else min(images, len(targets))

        def evaluated(part: Delivery) -> Report:
            return evaluate(part, inputs, targets, task=task, precision=self.precision, images_each=each)

        delivery, report = self.realizations.measure(
            lambda count: sent_by(
                self.scheme, package, self.channel, self.snr_db, self.channel_uses, self.knowledge, count, seed, device
            ),
            evaluated,
        )
        times = timeline(delivery, report.per_realization, lambda part: evaluated(part).per_realization)
        return {
            "normalisation": delivery.normalisation.kind,
            "calibration_inputs": report.calibration_inputs,
            "channel_uses_spent": delivery.channel_uses_spent,
            "realizations": len(report.per_realization),
            "accuracy": report.accuracy,
            "accuracy_low": report.low,
            "accuracy_high": report.high,
            "accuracy_channel_low": report.channel_low,
            "accuracy_channel_high": report.channel_high,
            "accuracy_std": report.std,
            "usable": report.usable,
            "finite": report.finite,
            "parameters_sent": delivery.parameters_sent,
            "parameters_stored": stored,
            "power": delivery.power,
            **asdict(delivery_cost(delivery, task.signature.example(), paths=report.paths)),
            "uses_per_inference_served": served_uses(delivery, inputs),
            "fades": len(report.shares) if delivery.strata is None else delivery.strata.drawn,
            "calibrated_share": report.calibrated_share,
            "extras": {**report.extras, **{f"share_{path}": share for path, share in report.paths.items()}},
            "plan": [asdict(row) for row in delivery.groups[0].plan.table()],
            "per_realization": report.per_realization.tolist(),
            "shares": report.shares.tolist(),
            **times.columns(),
            "timeline": times.record(),
            "train_seconds": train_seconds,
            "evaluate_seconds": time.perf_counter() - started,
        }


_packages: dict[str, tuple[Package, float, float]] = {}
"""The package of the last cell: those that follow mostly send the same."""


def _packed(stage: CellStage, store: Store) -> tuple[Package, float, float]:
    """What the sender holds, the seconds that its trainings took, and how many numbers it keeps for any SNR.

    Batch-norm statistics are among these numbers.
    """
    symbols = stage.channel.symbols(stage.channel_uses)
    sent = {part: stage.description[part] for part in ("scheme", "problem", "trainings")}
    identity = digest({**sent, "symbols": symbols})
    if identity not in _packages:
        problem = stage.problem.load()
        sending = trainings_of(stage.scheme, problem, symbols)
        trainings = closure(sending)
        trained = StoredTrainings(store, dict(zip(trainings, stage.needs, strict=True)))
        seconds = sum(float(network.state["train_seconds"]) for network in trained.values())
        stored = sum(store.parameters("training", trained.keys_of[training]) for training in sending)
        package = packed_by(stage.scheme, problem, trained, symbols)
        if stage.examined and is_own(stage.scheme):
            check_repeats(stage.scheme, package, packed_by(stage.scheme, problem, trained, symbols))
        _packages.clear()
        _packages[identity] = package, seconds, stored
    return _packages[identity]
