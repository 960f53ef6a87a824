"""Optimisers: those of torch, step for step; that they import no compiler is tested in `test_import.py`."""

import pytest
import torch

from airdeliver.training import optimizers


@pytest.mark.parametrize("name", ["SGD", "AdamW"])
def test_steps_are_those_of_torch(name):
    ends = []
    for room in (optimizers, torch.optim):
        generator = torch.Generator().manual_seed(0)
        weight = torch.randn(4, 3, generator=generator).requires_grad_()
        settings = {"momentum": 0.9, "nesterov": True} if name == "SGD" else {}
        groups = [{"params": [weight], "weight_decay": 0.1, "lr": 0.05}]
        optimizer = vars(room)[name](groups, lr=0.1, **settings)
        for _ in range(3):
            optimizer.zero_grad()
            assert weight.grad is None
            (weight * torch.randn(4, 3, generator=generator)).square().sum().backward()
            optimizer.step()
        assert weight.requires_grad
        ends.append(weight.detach())
    assert torch.equal(*ends)
