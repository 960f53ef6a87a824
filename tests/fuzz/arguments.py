"""Arguments of every kind, of `deliver` and `evaluate`, with a network that is sound."""

import math
import random
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader, TensorDataset

from airdeliver import AnalogLink, CapacityLink, Delivery, DigitalLink, Fades, Normalisation, deliver, evaluate
from airdeliver.task import Accuracy, Explained
from channels import AWGN, Rayleigh
from tests.fuzz.trial import Case, Fault, seeded

DOCUMENTED = (ValueError, TypeError)

NUMBERS: tuple[Any, ...] = (
    0, 1, -1, 3, 2.5, 1e4, -0.0, math.nan, math.inf, -math.inf, 1e308, 10**30, -(10**30), "5", "five", "", b"1",
    None, True, False, 1j, [0, 5], (5,), [], {}, {5}, np.float32(3), np.int64(3), np.array(3), np.array([3]),
    np.array([0, 5]), np.nan, torch.tensor(3.0), torch.tensor([3]), torch.tensor([0, 5]), torch.tensor(math.nan),
    int, float, object(), range(3), slice(3), Ellipsis, AWGN(), lambda: 3,
)  # fmt: skip


METRICS: tuple[Any, ...] = (
    lambda m: 0.5,
    lambda m: math.nan,
    lambda m: None,
    lambda m: "good",
    lambda m: torch.zeros(8),
    lambda m: torch.zeros(2, 2),
    lambda m: torch.zeros(0),
    lambda m: np.float32(1),
    lambda m: [0.5] * 8,
    lambda m: m,
    lambda m: 1j,
    lambda m: True,
    3,
    "accuracy",
)


@cache
def _model() -> nn.Module:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        return nn.Sequential(nn.Conv2d(1, 4, 3), nn.BatchNorm2d(4), nn.Flatten(), nn.Linear(64, 3)).eval()


def delivered(number: int, folder: Path) -> Case:
    """`deliver` with one to three odd arguments."""
    chosen = seeded("deliver", number)
    given: dict[str, Any] = {
        "model": _model(), "link": chosen.choice((AnalogLink(), CapacityLink(), DigitalLink("abstraction"))),
        "channel": chosen.choice((AWGN(), Rayleigh())), "snr_db": 10.0, "channel_uses": 2000, "realizations": 3,
    }  # fmt: skip
    odd: dict[str, tuple[Any, ...]] = {
        "model": (
            None,
            "model",
            nn.Linear,
            nn.Linear(2, 2).state_dict(),
            torch.zeros(3),
            3,
            [nn.Linear(2, 2)],
            lambda x: x,
            np.zeros(3),
            object(),
        ),
        "link": (None, "analog", AnalogLink, AWGN(), 3, [AnalogLink()], "AnalogLink()"),
        "channel": (None, "awgn", AWGN, AnalogLink(), 3, [AWGN()], {}),
        "snr_db": NUMBERS,
        "channel_uses": NUMBERS,
        "realizations": (*NUMBERS, Fades(64, 3, 8), Fades),
        "seed": NUMBERS,
        "knowledge": ("none", "average", "instantaneous", "all", None, 3, ["none"], ""),
        "normalisation": (
            "frozen",
            "sender",
            "receiver",
            "none",
            None,
            3,
            Normalisation,
            Normalisation("sender"),
            True,
            ["frozen"],
        ),
        "calibration_inputs": _inputs(chosen),
    }
    for name in chosen.sample(list(odd), chosen.choice((1, 1, 2, 3))):
        given[name] = chosen.choice(odd[name])

    def run() -> None:
        delivery = deliver(**given)
        if not (delivery.realizations >= 1 and 0 <= delivery.power <= 1.2 and 0 <= delivery.usable <= 1):
            raise Fault(f"gives {delivery}")
        if delivery.channel_uses_spent > given["channel_uses"]:
            raise Fault(f"spends {delivery.channel_uses_spent} of {given['channel_uses']} channel uses")

    return Case(f"deliver({_said(given)})", run, DOCUMENTED)


def evaluated(number: int, folder: Path) -> Case:
    """`evaluate`, and `Delivery.model`, with one to three odd arguments."""
    chosen = seeded("evaluate", number)
    kind = chosen.choice(("frozen", "receiver", "receiver"))
    snr_db = chosen.choice((-20.0, 10.0, 10.0))
    given: dict[str, Any] = {"inputs": torch.randn(8, 1, 6, 6), "targets": torch.randint(0, 3, (8,))}
    odd: dict[str, tuple[Any, ...]] = {
        "inputs": _inputs(chosen),
        "targets": _targets(chosen),
        "task": (None, Accuracy(3), Accuracy(2), Accuracy(5), Explained(), Accuracy, "accuracy", 3),
        "metric": METRICS,
        "chance": (*NUMBERS, 0.5, 0.1),
        "precision": ("float32", "bfloat16", "float16", None, torch.bfloat16, 3),
        "images_each": (*NUMBERS, 4, 8, 9),
    }  # fmt: skip
    for name in chosen.sample(list(odd), chosen.choice((1, 1, 2, 3))):
        given[name] = chosen.choice(odd[name])
    odd_delivery = chosen.random() < 0.03
    realization = chosen.choice((0, 2, *NUMBERS))

    def run() -> None:
        delivery: Any = _delivery(kind, snr_db)
        if chosen.random() < 0.1:
            delivery.model(realization, given["inputs"])
            return
        report = evaluate(chosen.choice((None, "delivery", Delivery, 3)) if odd_delivery else delivery, **given)
        low, high = report.bounds
        numbers = (report.accuracy, report.low, report.high, report.channel_low, report.channel_high, report.std)
        whole = math.isfinite(report.accuracy) and math.isfinite(report.std)
        if not whole or not low <= report.low <= report.accuracy <= report.high <= high:
            raise Fault(f"scores {numbers} within {report.bounds}")
        report.to_dict()

    documented = (*DOCUMENTED, IndexError)
    return Case(f"evaluate({kind}, {snr_db:g} dB, {_said(given)})", run, documented)


@cache
def _delivery(kind: Any, snr_db: float) -> Delivery:
    return deliver(
        _model(), AnalogLink(side_information_rate=1.0), Rayleigh(), snr_db, 2000, realizations=3, normalisation=kind
    )


def _inputs(chosen: random.Random) -> tuple[Any, ...]:
    images, labels = torch.randn(8, 1, 6, 6), torch.randint(0, 3, (8,))
    data = TensorDataset(images, labels)
    return (
        images, images.numpy(), images.double(), images.half(), images.bfloat16(), (images * 99).to(torch.uint8),
        images.long(), images > 0, images.to(torch.cfloat), images * math.nan, images[:0], images[:1], images[:2],
        images[0], images[..., :3], images.expand(-1, 3, -1, -1), torch.tensor(1.0), torch.zeros(0), (images,),
        [images], [images, images], (images, labels), [(images, labels)], {"input": images}, {"x": images},
        {"input": images, "labels": labels}, [{"input": images, "labels": labels}], DataLoader(data, 4),
        DataLoader(data, 3), data, iter([images]), (x for x in [images]), [], (), {}, "images", b"", 3, None, [None],
        [1, 2], [[0.5] * 36] * 8, images.to_sparse(), images.to("meta"), np.array(["a"]), np.array([object()]),
        np.zeros((8, 1, 6, 6), np.float16), np.zeros((8, 1, 6, 6), ">f4"), np.zeros((8, 6, 6, 1))[:, :, ::-1],
        images.requires_grad_(), torch.randn(8, 1, 6, 6).permute(0, 1, 3, 2), DataLoader(data, 4, shuffle=True),
        [images[:3], images[:3, :, :2]], nn.Linear, np.ma.masked_array(images.detach().numpy()),
        DataLoader(TensorDataset(images.detach()[:0]), 4), np.zeros((8, 1, 6, 6), "U3"),
    )  # fmt: skip


def _targets(chosen: random.Random) -> tuple[Any, ...]:
    labels = torch.randint(0, 3, (8,))
    return (
        labels, labels.numpy(), labels.tolist(), labels.int(), labels.to(torch.uint8), labels.float(),
        labels.double() + 0.5, labels[:, None], labels[None], labels[:7], labels[:0], labels - 1, labels + 10,
        labels + 2**40, labels.to(torch.cfloat), labels == 1, labels * math.nan, torch.tensor(1), 3, None, "012",
        [str(n) for n in labels.tolist()], list(range(8)), [None] * 8, nn.functional.one_hot(labels, 3),
        torch.randn(8), torch.randn(8, 3), torch.randn(8, 2), np.array(["a"] * 8), np.array([1.0] * 8),
        tuple(labels.tolist()), {"labels": labels}, labels.to("meta"), labels.to_sparse(),
        torch.zeros(8, 4, 4).long(), [labels[:4], labels[4:]], iter(labels), np.array([0, None], object),
        torch.full((8,), 255, dtype=torch.uint8), torch.zeros(8).long(),
    )  # fmt: skip


def _said(given: dict[str, Any]) -> str:
    return ", ".join(f"{name}={_shown(value)}" for name, value in given.items())


def _shown(value: Any) -> str:
    if isinstance(value, Tensor | np.ndarray):
        return f"{value.dtype} {tuple(value.shape)}"
    return " ".join(repr(value).split())[:60]
