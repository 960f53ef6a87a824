"""The contract of a scheme: a whole recipe."""

from abc import ABC, abstractmethod
from collections.abc import Mapping

from airdeliver.delivery import Delivery, send
from airdeliver.fades import Fades
from airdeliver.links import KnowledgeKind
from airdeliver.normalisation import Normalisation
from airdeliver.package import Package
from airdeliver.problem import Problem
from airdeliver.schemes.about import About, described
from airdeliver.task import Task
from airdeliver.training import Trained, Training
from channels import Channel


class Scheme(ABC):
    """How to train, prune and protect a network, and which link to send it over.

    A scheme is a frozen dataclass: its fields are the published recipe and identify its results.

    Attributes:
        normalisation: where batch-norm statistics come from at the receiver.
    """

    normalisation: Normalisation

    @abstractmethod
    def trainings(self, problem: Problem, channel_uses: int) -> tuple[Training, ...]:
        """The networks that it needs; what those need in turn is found through `Training.needs`.

        Args:
            problem: task, model, how long to train, how to compute.
            channel_uses: left for the payload where pilots are taken off, `channel.symbols(channel_uses)`.
        """

    @abstractmethod
    def pack(self, problem: Problem, trained: Mapping[Training, Trained], channel_uses: int) -> Package:
        """All that the sender holds once the trainings are done."""

    def misfit(self, problem: Problem, channel_uses: int) -> str | None:
        """Why nothing of this scheme can be sent within a budget, told without training; None if it can be, or may be.

        A sweep leaves such cells out before any work; what a scheme cannot tell beforehand ends as a `BudgetError` when
        it is trained or sent, and is left out then. By default nothing is told.

        Args:
            problem: task, model, how long to train, how to compute.
            channel_uses: left for the payload, as for `trainings`.
        """
        return None

    def serves(self, task: Task) -> Task:
        """What its deliveries are scored on; by default the problem's own task.

        Args:
            task: of the problem, whose inputs and targets are used.
        """
        return task

    def about(self) -> About:
        """What tables and figures say of it; by default what its class and fields tell: see `described`."""
        return described(self)

    def prepare(self, problem: Problem, channel_uses: int, trained: dict[Training, Trained] | None = None) -> Package:
        """Train whatever is needed and pack it, in one call for scripts; sweeps keep trainings in their store.

        Args:
            problem: task, model, how long to train, how to compute.
            channel_uses: left for the payload, as for `trainings`.
            trained: what has been trained already; what is new is added, so that other schemes need not do it again.
        """
        trained = {} if trained is None else trained

        def made(training: Training) -> Trained:
            if training not in trained:
                needs = {need: made(need) for need in training.needs}
                trained[training] = training.run(problem.task, needs, device=problem.execution.device)
            return trained[training]

        wanted = {training: made(training) for training in self.trainings(problem, channel_uses)}
        return self.pack(problem, wanted, channel_uses)

    def send(
        self,
        package: Package,
        channel: Channel,
        snr_db: float,
        channel_uses: int,
        knowledge: KnowledgeKind,
        realizations: int | Fades,
        seed: int,
        device: str = "cpu",
    ) -> Delivery:
        """Send the package: see `airdeliver.delivery.send`."""
        return send(package, channel, snr_db, channel_uses, knowledge, realizations, seed, device)
