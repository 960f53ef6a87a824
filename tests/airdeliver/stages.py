"""Comparison of two deliveries, stage by stage."""

import torch

from airdeliver.delivery import Delivery


def assert_same(one: Delivery, other: Delivery) -> None:
    """The same stages of the same receivers, and of what is usable the same values, to the bit."""
    assert one.stages == other.stages
    for number in range(one.stages):
        groups = one.stage(number).groups, other.stage(number).groups
        for a, b in zip(*groups, strict=True):
            assert torch.equal(a.realizations, b.realizations)
            assert a.description == b.description
            assert torch.equal(a.decoded.usable, b.decoded.usable)
            assert torch.equal(a.decoded.uses, b.decoded.uses)
            rows = torch.nonzero(a.decoded.usable).flatten().tolist()
            assert all(torch.equal(a.decoded.values[row], b.decoded.values[row]) for row in rows)
