"""When receivers had what: rounds, channel uses and milliseconds to the first inference, to 95 %, to the end."""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float, Int64
from torch import Tensor

from airdeliver.cost import Carrier
from airdeliver.delivery import Delivery

MOSTLY = 0.95
"""Of the final score, from which on a receiver is nearly there."""

QUANTILES = (10, 25, 50, 75, 90)
"""Per cent of deliveries that have ended by then: the law of the delay."""

TIMES = (
    "rounds", "arrived_share", "rounds_to_first", "uses_to_first", "milliseconds_to_first", "rounds_to_most",
    "uses_to_most", "milliseconds_to_most", "uses_to_end", "milliseconds_to_end",
    *(f"milliseconds_to_end_{share}" for share in QUANTILES),
)  # fmt: skip
"""Names of the columns that a table has of it: see `Timeline.columns`."""


@dataclass(frozen=True, eq=False)
class Timeline:
    """What each delivery had after each of its stages; those that had fewer than others stay as they ended.

    Args:
        uses: channel uses so far.
        milliseconds: so far, on the air and waiting for answers.
        scores: mean score of the network so far; the floor where nothing usable had arrived.
        usable: whether something usable had arrived.
        rounds: stages of each delivery.
        shares: what each delivery counts for in a mean; they add up to 1.
    """

    uses: Int64[Tensor, "realizations stages"]
    milliseconds: Float[Tensor, "realizations stages"]
    scores: Float[Tensor, "realizations stages"]
    usable: Bool[Tensor, "realizations stages"]
    rounds: Int64[Tensor, "realizations"]
    shares: Float[Tensor, "realizations"]

    @property
    def first(self) -> Int64[Tensor, "realizations"]:
        """The stage with the first inference; -1 where there is none."""
        return _earliest(self.usable)

    @property
    def most(self) -> Int64[Tensor, "realizations"]:
        """The stage with 95 % of the final score, the network usable; -1 where there is none."""
        return _earliest(self.usable & (self.scores >= MOSTLY * self.scores[:, -1:]))

    def columns(self) -> dict[str, float]:
        """Means over deliveries; to the first inference and to 95 %, over those that have one (`arrived_share`).

        The end is when a receiver left, content or not; its quantiles say by when 10 to 90 % had. Channel uses and
        milliseconds include feedback and waiting.
        """
        reached = {"first": self.first, "most": self.most}
        found = {"rounds": self._mean(self.rounds.double()), "arrived_share": self._mean((self.first >= 0).double())}
        for name, stage in reached.items():
            found[f"rounds_to_{name}"] = self._mean(stage + 1.0, stage >= 0)
            found[f"uses_to_{name}"] = self._mean(self._at(self.uses, stage), stage >= 0)
            found[f"milliseconds_to_{name}"] = self._mean(self._at(self.milliseconds, stage), stage >= 0)
        found["uses_to_end"] = self._mean(self.uses[:, -1].double())
        found["milliseconds_to_end"] = self._mean(self.milliseconds[:, -1])
        for share in QUANTILES:
            found[f"milliseconds_to_end_{share}"] = self._quantile(share / 100)
        return {name: found[name] for name in TIMES}

    def record(self) -> dict[str, list[float | int | None]]:
        """Of each delivery, channel uses and milliseconds to the end, and milliseconds to the first inference.

        None where there was none; lists, as JSON holds them.
        """
        first = self._at(self.milliseconds, self.first).tolist()
        return {
            "uses_to_end": self.uses[:, -1].tolist(),
            "milliseconds_to_end": self.milliseconds[:, -1].tolist(),
            "milliseconds_to_first": [t if s >= 0 else None for t, s in zip(first, self.first.tolist(), strict=True)],
        }

    def _at(self, values: Tensor, stage: Tensor) -> Tensor:
        return values.double().gather(1, stage.clamp(min=0).unsqueeze(-1))[:, 0]

    def _quantile(self, share: float) -> float:
        """The time by which so many deliveries have ended."""
        ended, order = self.milliseconds[:, -1].sort()
        reached = self.shares.double()[order].cumsum(0) >= share - 1e-9
        return float(ended[int(reached.long().argmax())])

    def _mean(self, values: Tensor, where: Tensor | None = None) -> float:
        weights = self.shares.double() if where is None else self.shares.double() * where
        total = float(weights.sum())
        return float(weights @ values.double()) / total if total else float("nan")


def timeline(
    delivery: Delivery,
    final: Float[Tensor, "realizations"],
    score: Callable[[Delivery], Float[Tensor, "realizations"]],
    carrier: Carrier | None = None,
) -> Timeline:
    """Score every stage of a delivery; one that came in one go has one stage.

    Args:
        delivery: what arrived, with snapshots.
        final: mean score of each realization in the end.
        score: the same of an earlier stage: `lambda d: evaluate(d, x, y).per_realization`.
        carrier: that symbols are sent on; None for 20 MHz.
    """
    carrier = carrier or Carrier()
    stages = [delivery.stage(number) for number in range(delivery.stages)]
    uses = torch.stack([stage.in_order(lambda group: group.decoded.uses) for stage in stages], 1)
    waited = torch.stack([_each(stage, lambda group: group.turnarounds) for stage in stages], 1)
    n = delivery.realizations
    return Timeline(
        uses,
        uses.double() / carrier.uses_per_millisecond + waited * delivery.turnaround_ms,
        torch.stack([*(score(stage).cpu().float() for stage in stages[:-1]), final.cpu().float()], 1),
        torch.stack([stage.usable_realizations for stage in stages], 1),
        _each(delivery, lambda group: len(group.snapshots) + 1),
        torch.full((n,), 1 / n) if delivery.strata is None else delivery.strata.shares,
    )


def _each(delivery: Delivery, measure: Callable[..., int]) -> Tensor:
    return delivery.in_order(lambda group: torch.full_like(group.decoded.uses, measure(group)))


def _earliest(flags: Bool[Tensor, "realizations stages"]) -> Int64[Tensor, "realizations"]:
    """The first stage whose flag is set; -1 where none is."""
    return torch.where(flags.any(1), flags.long().argmax(1), -1)
