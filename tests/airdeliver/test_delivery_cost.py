"""What a delivery costs: the network that arrived, the bits that were sent."""

import math

import numpy as np
import pytest
import torch

from airdeliver import AnalogLink, DigitalLink, deliver
from airdeliver.compression.codec import Codebook, Levels, MidRise, MidTread
from airdeliver.compression.quantisers import Signs
from airdeliver.cost import Carrier
from airdeliver.delivery_cost import delivery_cost, level_bits
from airdeliver.models import CNN
from airdeliver.payload import Layout, Segment
from channels import AWGN

EXAMPLE = torch.zeros(1, 1, 8, 8)


def test_analog_delivery_computes_in_binary32_and_sends_no_container():
    delivery = deliver(CNN()(1, 10), AnalogLink(), AWGN(), snr_db=10.0, channel_uses=20_000, realizations=2)
    cost = delivery_cost(delivery, EXAMPLE)
    assert (cost.parameters, cost.macs, cost.bit_operations) == (14_458, 451_904, 1024 * 451_904)
    assert math.isnan(cost.container_bits)
    milliseconds = Carrier().milliseconds(delivery.channel_uses_spent)
    assert cost.milliseconds == pytest.approx(milliseconds)
    assert cost.transmit_joules == pytest.approx(delivery.power * milliseconds / 1000, rel=1e-6)


def test_binary_weights_arrive_as_bits_of_levels():
    link = DigitalLink(phy="capacity", quantiser=Signs())
    delivery = deliver(CNN()(1, 10), link, AWGN(), snr_db=10.0, channel_uses=20_000, realizations=2)
    cost, plan = delivery_cost(delivery, EXAMPLE), delivery.groups[0].plan
    assert cost.container_bits == 8 * sum(plan.lengths)
    bits = level_bits(plan.levels)
    assert bits["3.weight"] == bits["7.weight"] == 1
    small = 16 * 9 * 64 * 32 * bits["0.weight"] + 320 * 32 * bits["12.weight"]
    assert cost.bit_operations == (451_904 - 16 * 9 * 64 - 320) * 32 + small
    assert cost.inference_joules < delivery_cost_of_analog()


def delivery_cost_of_analog() -> float:
    delivery = deliver(CNN()(1, 10), AnalogLink(), AWGN(), snr_db=10.0, channel_uses=20_000, realizations=1)
    return delivery_cost(delivery, EXAMPLE).inference_joules


def test_bits_of_levels_number_all_between_the_least_and_the_greatest():
    """-2^(b-1) to 2^(b-1) - 1 have b bits, wherever their zero is; a codebook those of an index."""
    layout = Layout(tuple(Segment(name, (600,)) for name in ("a", "b", "c", "d")))
    runs = [(-8, 7), (-1, 0), (0, 8), (0, 4)]
    numbers = np.concatenate([np.resize(np.array(ends), 600) for ends in runs])
    kinds = [MidTread(1.0), MidRise(1.0), MidTread(1.0), Codebook((-1.0, -0.5, 0.0, 0.5, 1.0))]
    levels = Levels.fitted(layout, numbers, kinds, [None] * 4)
    assert level_bits(levels) == {"a": 4, "b": 1, "c": 4, "d": 3}
