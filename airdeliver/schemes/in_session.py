"""Another scheme, whose package is sent in rounds that the receivers answer."""

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace

import torch

from airdeliver.delivery import Delivery
from airdeliver.fades import Fades
from airdeliver.links import AnalogLink, Knowledge, KnowledgeKind
from airdeliver.links.analog.plan import AnalogPlan
from airdeliver.normalisation import Normalisation
from airdeliver.package import Choice, Package
from airdeliver.problem import Problem
from airdeliver.randomness import stream
from airdeliver.schemes.about import About, words
from airdeliver.schemes.base import Scheme
from airdeliver.schemes.worth import Validation
from airdeliver.sensitivity import by_curvature
from airdeliver.session import AssuredChoice, Promise, Session, converse
from airdeliver.training import Trained, Training
from channels import AWGN, Channel

PROMISED_DB = (-10.0, -5.0, 0.0, 5.0, 10.0, 15.0, 20.0, 30.0)
"""SNRs at which an analog network is tried out, to tell what score a given loss promises."""


@dataclass(frozen=True)
class InSession(Scheme):
    """A scheme in a session: what it sends, it sends in rounds, until the receivers are content.

    The budget is for the whole session. A network that goes over an analog link is tried out on the validation split at
    several SNRs, so that the sender knows what score the noise that is left promises.

    Args:
        scheme: how networks are trained and packed.
        session: how rounds follow one another.
    """

    scheme: Scheme
    session: Session

    @property
    def normalisation(self) -> Normalisation:  # pyright: ignore[reportIncompatibleVariableOverride]
        """That of the scheme inside."""
        return self.scheme.normalisation

    def about(self) -> About:
        """What the scheme inside says, and the session."""
        about = self.scheme.about()
        return replace(about, title=f"{about.title}, {words(type(self.session).__name__)}")

    def trainings(self, problem: Problem, channel_uses: int) -> tuple[Training, ...]:  # noqa: D102
        return self.scheme.trainings(problem, self.session.at_once(channel_uses))

    def pack(self, problem: Problem, trained: Mapping[Training, Trained], channel_uses: int) -> Package:  # noqa: D102
        package = self.scheme.pack(problem, trained, self.session.at_once(channel_uses))
        choices = (_assured(choice, package.normalisation, problem) for choice in package.choices)
        return replace(package, choices=tuple(choices))

    def send(  # noqa: D102
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
        where = channel, snr_db, channel_uses, knowledge, realizations, seed, device
        return converse(package, self.session, *where)


def _assured(choice: Choice, normalisation: Normalisation, problem: Problem) -> Choice:
    """An analog choice with its sensitivity and what score it promises; any other as it is."""
    if not isinstance(choice.link, AnalogLink):
        return choice
    payload = choice.payload
    if payload.sensitivity is None:
        asked = choice.model, payload.layout, normalisation, problem.task, problem.execution
        payload = replace(payload, sensitivity=by_curvature(*asked))
    # What is added to the loss where every value has all of its own variance as noise.
    link = choice.link
    plan = link.plan(payload, None, Knowledge())
    promise = _promise(replace(choice, payload=payload), plan, normalisation, problem)
    own = {field.name: getattr(choice, field.name) for field in fields(Choice)}
    return AssuredChoice(**{**own, "payload": payload}, promise=promise)


@torch.no_grad()
def _promise(choice: Choice, plan: AnalogPlan, normalisation: Normalisation, problem: Problem) -> Promise:
    """Validation score at several SNRs, over the loss that the noise is expected to add there."""
    validation = Validation.of(problem, normalisation)
    noise, channel = stream(problem.execution.seed, "statistics", 1, problem.execution.device), AWGN()
    assert choice.payload.sensitivity is not None
    sent = torch.tensor(plan.travelling) > 0
    whole = float((choice.payload.sensitivity.cpu() * plan.scale.cpu().square())[sent].clamp(min=0).sum())
    losses, scores = [], []
    for snr_db in PROMISED_DB:
        # Sent without expansion, so that every value has the noise of the channel.
        link = AnalogLink(choice.link.receiver) if isinstance(choice.link, AnalogLink) else choice.link
        values = link.perturb(
            choice.payload.values, link.plan(choice.payload, None, Knowledge()), channel, snr_db, noise
        )
        scores.append(validation.score(choice.receive(values)))
        losses.append(max(whole, 1e-9) / (1 + 10 ** (snr_db / 10)))
    return Promise.measured(losses, scores)
