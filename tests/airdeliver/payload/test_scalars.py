"""Numbers that a module's own code learns are refused by name; settings, however odd, pass."""

import math

import numpy as np
import pytest
import torch
from torch import nn

from airdeliver.payload import payload_of, published
from airdeliver.payload.scalars import learned_numbers


class Scaled(nn.Module):
    """A head whose temperature is a plain number."""

    def __init__(self, temperature=1.0, width=7):
        super().__init__()
        self.head = nn.Linear(4, 3)
        self.temperature = temperature
        self.scale = width**-0.5
        self._prepare()

    def _prepare(self):
        self.shift = math.log(10_000) / 3

    def forward(self, x):
        return self.head(x) * self.scale / self.temperature + self.shift


class Calibrated(Scaled):
    """Its temperature is fitted on validation outputs."""

    def fit(self, x):
        with torch.no_grad():
            self.temperature = float(self.head(x).std())


class Smoothed(Scaled):
    """The mean of what it has seen, as a number."""

    def __init__(self):
        super().__init__()
        self.mean = 0.0

    def forward(self, x):
        if self.training:
            self._update(x)
        return super().forward(x - self.mean)

    def _update(self, x):
        self.mean = 0.9 * self.mean + 0.1 * x.mean().item()


class Logged(Scaled):
    """What it kept of the last batch is written before it is read."""

    def forward(self, x):
        self.last = x.mean().item()
        return super().forward(x) + self.last


class Passing(Scaled):
    """What one method leaves for another within a pass."""

    def forward(self, x):
        self.last = x.mean().item() / 3
        return self._headed(x)

    def _headed(self, x):
        return super().forward(x) + self.last


class Switched(Scaled):
    """A setting that may be changed."""

    def set_temperature(self, temperature):
        self.temperature = temperature


def fitted(convert=float):
    torch.manual_seed(0)
    model = Calibrated()
    model.fit(torch.randn(20, 4, generator=torch.Generator().manual_seed(0)))
    model.temperature = convert(model.temperature)
    return model


def smoothed():
    model = Smoothed()
    model(torch.randn(20, 4, generator=torch.Generator().manual_seed(0)))
    return model


def switched(temperature):
    model = Switched()
    model.set_temperature(temperature)
    return model


@pytest.mark.parametrize(
    ("build", "name"),
    [
        (fitted, "temperature"),
        (lambda: fitted(convert=torch.tensor), "temperature"),
        (lambda: fitted(convert=lambda number: torch.tensor(number, dtype=torch.float64)), "temperature"),
        (lambda: fitted(convert=np.float32), "temperature"),
        (lambda: fitted(convert=np.array), "temperature"),
        (smoothed, "mean"),
        (lambda: nn.Sequential(nn.ReLU(), fitted()), "1.temperature"),
        (lambda: switched(0.7312345504760742), "temperature"),
    ],
)
def test_a_number_that_the_class_changes_is_refused_by_name(build, name):
    with pytest.raises(ValueError, match=rf"^{name} is the number -?\d") as error:
        payload_of(build())
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    "build",
    [
        Scaled,
        lambda: Scaled(0.7312345504760742),
        lambda: Scaled(temperature=torch.tensor(0.07)),
        Calibrated,
        lambda: switched(0.07),
        lambda: switched(torch.tensor(0.07)),
        lambda: switched(2),
        Logged,
        Passing,
        lambda: nn.LSTM(3, 4),
    ],
)
def test_settings_pass(build):
    model = build()
    if isinstance(model, Logged | Passing):
        model(torch.ones(2, 4))
    assert list(learned_numbers(model)) == []
    payload_of(model)


def test_the_receiver_may_have_the_number():
    payload_of(published(fitted(), "temperature"))
