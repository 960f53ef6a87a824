"""Training through the link perturbs the payload's values, by the link's own code, and leaves the clean weights."""

import pytest
import torch

from airdeliver.links import AnalogLink
from airdeliver.models import CNN
from airdeliver.payload import Flattened, layout_of, payload_of
from airdeliver.training import Through
from airdeliver.training.through import Arrival
from channels import AWGN


def seeded(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def test_the_vector_perturbed_is_the_payloads_values():
    """In mode receiver all of them; the statistics of the other modes do not enter a training step."""
    model = CNN()(1, 10, seeded(0))
    through = Through(AnalogLink("zero_forcing"), AWGN(), 5.0)
    arrival = Arrival(model, through)
    payload = payload_of(model, statistics=False)
    assert arrival.layout == payload.layout
    with arrival(seeded(1)):
        seen = Flattened(model, payload.layout).read()
    plan = through.link.refresh(arrival.plan, payload)
    expected = through.link.perturb(payload.values, plan, AWGN(), 5.0, seeded(1))
    assert torch.equal(seen, expected)
    assert set(payload.layout.names) < set(layout_of(model, statistics=True).names)


def test_own_weights_come_back_bit_for_bit_and_get_the_gradient_of_the_arrived_ones():
    model = CNN()(1, 10, seeded(0)).eval()
    before = {name: p.detach().clone() for name, p in model.named_parameters()}
    arrival = Arrival(model, Through(AnalogLink(), AWGN(), 0.0))
    images = torch.randn(8, 1, 8, 8, generator=seeded(2))
    with arrival(seeded(1)):
        model(images).square().sum().backward()
        through_link = {name: p.grad.clone() for name, p in model.named_parameters()}
        arrived = [p.detach().clone() for p in model.parameters()]
    assert all(torch.equal(before[name], p) for name, p in model.named_parameters())
    twin = CNN()(1, 10, seeded(0)).eval()
    with torch.no_grad():
        for p, value in zip(twin.parameters(), arrived, strict=True):
            p.copy_(value)
    twin(images).square().sum().backward()
    assert all(torch.allclose(through_link[name], p.grad) for name, p in twin.named_parameters())


def test_scales_follow_the_weights():
    model = CNN()(1, 10, seeded(0))
    arrival = Arrival(model, Through(AnalogLink(), AWGN(), 0.0))
    with torch.no_grad():
        for p in model.parameters():
            p.mul_(100)
    with arrival(seeded(0)):
        pass
    weight = dict(model.named_parameters())[arrival.layout.names[0]]
    assert float(arrival.plan.scale[0]) == pytest.approx(float(weight.std(correction=0)), rel=0.01)


def test_a_range_of_snr_is_drawn_uniformly():
    through = Through(AnalogLink(), AWGN(), (-2.0, 8.0))
    generator = seeded(0)
    draws = torch.tensor([through.draw_snr_db(generator) for _ in range(2000)])
    assert -2 <= float(draws.min()) < -1.9
    assert 7.9 < float(draws.max()) <= 8
    assert abs(float(draws.mean()) - 3) < 4 * 10 / (12 * 2000) ** 0.5


def test_a_reversed_range_is_refused():
    with pytest.raises(ValueError, match="low, high"):
        Through(AnalogLink(), AWGN(), (5.0, 0.0))
