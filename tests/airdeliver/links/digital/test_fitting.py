"""A container is made once for one question, and anew for any other."""

import torch

from airdeliver.compression.codec import RangeCoded
from airdeliver.compression.quantisers import RateDistortion
from airdeliver.links.digital import fitting
from airdeliver.links.digital.fitting import Fitting
from airdeliver.links.digital.full import Full
from airdeliver.payload import Layout, Payload, Segment


def test_the_same_question_has_the_same_answer_and_another_another(monkeypatch):
    asked: list[int] = []
    found = Fitting._fitted

    def counted(self, payload, state, grade):
        asked.append(grade)
        return found(self, payload, state, grade)

    monkeypatch.setattr(Fitting, "_fitted", counted)
    monkeypatch.setattr(fitting, "_FITTED", fitting.Memory(64))
    layout = Layout((Segment("weight", (30, 20)),))
    values = torch.randn(600, generator=torch.Generator().manual_seed(0))
    fit = Fitting(RateDistortion(), RangeCoded(), Full(), room=2000)
    first = fit.fit(Payload(values, layout), None, 4)
    again = fit.fit(Payload(values.clone(), layout), None, 4)
    assert asked == [4]
    assert first.container.data == again.container.data
    fit.fit(Payload(values, layout), None, 5)
    fit.fit(Payload(values, layout, torch.ones(1)), None, 4)
    fit.fit(Payload(-values, layout), None, 4)
    Fitting(RateDistortion(), RangeCoded(), Full(), room=2001).fit(Payload(values, layout), None, 4)
    assert asked == [4, 5, 4, 4, 4]
