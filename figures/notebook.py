"""A sweep in one call, for notebooks: any model over links and channels, as a table and as a figure; without Hydra."""

import base64
import difflib
import inspect
import io
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from itertools import product
from typing import Any, Never

import matplotlib
import pandas as pd
from matplotlib.figure import Figure

from airdeliver import AnalogLink, BudgetError, Link, deliver, evaluate
from airdeliver.arguments import an_object, decibel, whole
from airdeliver.conformance import check
from airdeliver.links import Knowledge, KnowledgeKind
from airdeliver.links.base import generic
from airdeliver.normalisation import Normalisation, NormalisationKind
from airdeliver.payload import Model, layout_of
from airdeliver.payload.inputs import Inputs
from airdeliver.payload.labelled import labelled
from airdeliver.schemes.about import is_limit, side_of, words
from airdeliver.task.base import Score
from channels import Channel
from experiments.own import holds_own
from figures import bandwidth, snr
from figures.drawing import STYLES, write_below
from figures.score import Score as Scored
from figures.table import INTERVAL
from figures.view import PER_CENT

SHOWN = ("title", "channel", "snr_db", "channel_uses", "seed", "accuracy", "accuracy_low", "accuracy_high")
"""Columns that a notebook shows, and that `print` does."""

FIRST, LAST = SHOWN[:5], SHOWN[5:]
"""Of the table's columns: what pandas still shows of one that is wider than the screen."""


@dataclass(frozen=True)
class Swept:
    """What a sweep found; in a notebook, the last line of a cell shows table and figure, elsewhere `print` the table.

    Args:
        table: a row for each link, channel, SNR, budget and seed, with the columns that tables of sweeps have; those
            of `SHOWN` stand first and last.
        figure: the score over SNR, or over channel uses where there is one SNR alone; None if nothing fits.
    """

    table: pd.DataFrame
    figure: Figure | None

    @property
    def shown(self) -> pd.DataFrame:
        """The table's columns that tell who reaches what, `SHOWN`; scores to three digits, shares in per cent."""
        shown = self.table.filter(items=SHOWN)
        scores = [name for name in INTERVAL if name in shown]
        if shown.empty or not Scored.of(self.table).is_share:
            return shown.round(dict.fromkeys(scores, 3))
        shares = (100 * shown[scores]).round(1)
        return shown.assign(**shares).rename(columns={name: name + PER_CENT for name in scores})

    def __repr__(self) -> str:
        holes = self.table.attrs["holes"]
        told = [f"{len(holes)} more do not fit: {holes[0]['reason']}"] if holes else []
        rows = [self.shown.to_string(index=False)] if len(self.table) else []
        return "\n".join([*rows, *told])

    def _repr_html_(self) -> str:
        shown = self.shown
        if self.figure is None:
            return shown.to_html(index=False)
        picture = io.BytesIO()
        self.figure.savefig(picture, format="png")
        encoded = base64.b64encode(picture.getvalue()).decode()
        return f'<img src="data:image/png;base64,{encoded}">{shown.to_html(index=False)}'


OTHERWISE = {"labels": "targets", "y": "targets", "x": "inputs", "budget": "channel_uses", "score": "task"}
"""What arguments are called elsewhere."""


def sweep(
    model: Model,
    links: Link | Iterable[Link] | Mapping[str, Link],
    channels: Channel | Iterable[Channel] | Mapping[str, Channel],
    *,
    snr_db: float | Iterable[float],
    inputs: Inputs,
    targets: Any = None,
    channel_uses: int | str | Iterable[int | str] = "1x",
    realizations: int = 16,
    seeds: int | Iterable[int] = 0,
    knowledge: KnowledgeKind = "average",
    normalisation: NormalisationKind | Normalisation = "receiver",
    calibration_inputs: Any = None,
    task: Score | None = None,
    conformance: bool = True,
    **unknown: Never,
) -> Swept:
    """Deliver a model over every combination of links, channels, SNRs, budgets and seeds, and evaluate what arrives.

    Nothing is trained and nothing kept: `python -m experiments.sweep` does both. A budget that is too small is a hole
    in the table, `table.attrs["holes"]`, and a cross in the figure.

    Args:
        model: any `torch.nn.Module`, or a Keras model.
        links: one or several; a mapping names them, otherwise they go by their classes.
        channels: one or several, as links.
        snr_db: one or several, in dB.
        inputs: of the test examples, as `airdeliver.evaluate` takes them.
        targets: as `airdeliver.evaluate` takes them.
        channel_uses: one or several; `1x` is what the model costs, sent analog as it is.
        realizations: independent deliveries of each combination.
        seeds: one or several.
        knowledge: what the sender knows of the channel.
        normalisation: where batch-norm statistics come from.
        calibration_inputs: the sender's inputs, for normalisation `sender`.
        task: whose score is taken; None for the accuracy of labels.
        conformance: whether links and channels of one's own are examined first, a fraction of a second each.
        unknown: what there is no argument for is refused, with the name that was probably meant.

    Raises:
        ConformanceError: a link or channel of one's own breaks its contract.
        TypeError: what is no link or no channel; an argument that there is not.
        ValueError: nothing to sweep over; a budget that is neither a number nor a multiple such as `0.5x`.

    >>> import torch
    >>> from channels import AWGN
    >>> inputs = torch.randn(60, 20, generator=torch.Generator().manual_seed(0))
    >>> model = torch.nn.Linear(20, 3)
    >>> labels = model(inputs).argmax(1)
    >>> found = sweep(model, AnalogLink(), AWGN(), snr_db=[0, 20], inputs=inputs, targets=labels, realizations=4)
    >>> found.table[["scheme", "channel", "snr_db"]].values.tolist()
    [['AnalogLink', 'AWGN', 0.0], ['AnalogLink', 'AWGN', 20.0]]
    >>> print(found)  # doctest: +ELLIPSIS
          title channel  snr_db  channel_uses  seed  accuracy (%)  accuracy_low (%)  accuracy_high (%)
    Analog link    AWGN     0.0           ...     0  ...
    """
    if unknown:
        raise TypeError(_meant(next(iter(unknown))))
    named_links, named_channels = _named(links, Link, "links"), _named(channels, Channel, "channels")
    levels = [decibel(level, "snr_db") for level in _several(snr_db, "snr_db")]
    inputs, targets = labelled(inputs, targets)
    kind = normalisation if isinstance(normalisation, Normalisation) else Normalisation(normalisation)
    for piece in (*named_links.values(), *named_channels.values()) if conformance else ():
        if holds_own(piece):
            check(piece, snr_db=levels)
    rows: list[dict[str, Any]] = []
    holes: list[dict[str, Any]] = []
    multiples: dict[int, str] = {}
    for (name, link), (channel_name, channel) in product(named_links.items(), named_channels.items()):
        budgets = {_budget(given, model, channel, kind): given for given in _several(channel_uses, "channel_uses")}
        multiples |= {uses: given.strip() for uses, given in budgets.items() if isinstance(given, str)}
        for uses, seed, level in product(budgets, _several(seeds, "seeds"), levels):
            place = {
                "experiment": "notebook", "scheme": name, "dataset": "given", "model": type(model).__name__,
                "channel": channel_name, "knowledge": knowledge, "snr_db": level, "channel_uses": uses,
                "seed": whole(seed, "seeds"), "title": words(name) if name == type(link).__name__ else name,
            }  # fmt: skip
            try:
                delivery = deliver(
                    model, link, channel, level, uses, realizations, seed, knowledge, kind, calibration_inputs
                )
            except BudgetError as error:
                holes.append({**place, "reason": str(error)})
                continue
            report = evaluate(delivery, inputs, targets, task=task)
            low, high = report.bounds
            rows.append(
                {
                    **place, "normalisation": kind.kind, "calibration_inputs": report.calibration_inputs,
                    "channel_uses_spent": delivery.channel_uses_spent, "realizations": realizations,
                    "accuracy": report.accuracy, "accuracy_low": report.low, "accuracy_high": report.high,
                    "accuracy_channel_low": report.channel_low, "accuracy_channel_high": report.channel_high,
                    "accuracy_std": report.std, "usable": report.usable, "finite": report.finite,
                    "parameters_sent": delivery.parameters_sent, "power": delivery.power, "side": side_of(link),
                    "preparation": "as it is", "limit": is_limit(link), "member": math.nan, "metric": report.metric,
                    "score_low": low, "score_high": high, "floor": math.nan if task is None else task.floor,
                    "evaluate_seconds": report.evaluate_seconds,
                }
            )  # fmt: skip
    table = pd.DataFrame(rows, columns=_ordered(rows[0] if rows else place))
    table.attrs["holes"] = holes
    return Swept(table, _drawn(table, multiples) if rows else None)


def _ordered(names: Iterable[str]) -> list[str]:
    """Columns, those that a wide table is read for at its two ends."""
    names = list(names)
    first, last = ([name for name in end if name in names] for end in (FIRST, LAST))
    return [*first, *(name for name in names if name not in SHOWN), *last]


def _drawn(table: pd.DataFrame, multiples: Mapping[int, str]) -> Figure:
    one_snr, budgets = len(set(table["snr_db"])) == 1, len(set(table["channel_uses"]))
    over = bandwidth if one_snr and budgets > 1 else snr
    with matplotlib.rc_context(fname=STYLES["slides"]):
        figure = over.draw(table)
        if multiples:
            write_below(figure, figure.get_supxlabel(), _budgets_told(multiples))
        return figure


def _budgets_told(multiples: Mapping[int, str]) -> str:
    """What budgets are that were given as multiples."""
    if len(multiples) == 1:
        return f"budget: {next(iter(multiples.values()))} of what the model costs, sent analog as it is"
    told = ", ".join(f"{multiple} is {uses:,} channel uses" for uses, multiple in sorted(multiples.items()))
    return f"{told}; 1x: what the model costs, sent analog as it is"


def _meant(name: str) -> str:
    """That `sweep` has no such argument, and which it has."""
    there = [each for each in inspect.signature(sweep).parameters if each != "unknown"]
    near = difflib.get_close_matches(OTHERWISE.get(name, name), there, n=1)
    hint = f"did you mean {near[0]}?" if near else f"it has {', '.join(there)}"
    return f"sweep has no argument {name!r}: {hint}"


def _named(given: Any, kind: type, what: str) -> dict[str, Any]:
    """Objects by name; several of one class are counted."""
    if isinstance(given, Mapping):
        items = {str(name): item for name, item in given.items()}
    else:
        several = [given] if isinstance(given, kind | type | str) or not isinstance(given, Iterable) else list(given)
        classes = [type(item).__name__ for item in several]
        items = {
            name if classes.count(name) == 1 else f"{name} {classes[: place + 1].count(name)}": item
            for place, (name, item) in enumerate(zip(classes, several))
        }
    if not items:
        raise ValueError(f"{what} must be one {kind.__name__} at least, got none")
    return {
        name: an_object(item, kind, what, "one object, a list, or a mapping of names") for name, item in items.items()
    }


def _several(given: Any, what: str) -> list[Any]:
    """One value or several, as a list."""
    items = [given] if isinstance(given, str) or not isinstance(given, Iterable) else list(given)
    if not items:
        raise ValueError(f"{what} must have one value at least, got none")
    twice = next((item for number, item in enumerate(items) if item in items[:number]), None)
    if twice is not None:
        raise ValueError(f"{what} has {twice} twice")
    return items


def _budget(given: Any, model: Model, channel: Channel, normalisation: Normalisation) -> int:
    """Channel uses as an integer; a share of what the model costs, sent analog as it is, is rounded up."""
    if not isinstance(given, str):
        return whole(given, "channel_uses", 1)
    try:
        share = Fraction(given.strip().removesuffix("x")) if given.strip().endswith("x") else None
    except ValueError:
        share = None
    if share is None or share <= 0:
        raise ValueError(f"channel_uses must be whole numbers or multiples such as 1x or 0.5x, got {given!r}")
    layout = layout_of(model, statistics=normalisation.sends_statistics)
    return math.ceil(share * channel.uses(AnalogLink().plan(generic(layout), None, Knowledge()).symbols))
