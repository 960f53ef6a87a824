"""Inputs of every kind become batches that a model takes."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn
from torch.utils.data import DataLoader

from airdeliver.payload.inputs import batches, called, count


class Two(nn.Module):
    def forward(self, a, b):
        return a * b


@settings(deadline=None, derandomize=True, max_examples=50)
@given(st.integers(2, 60), st.integers(1, 20), st.sampled_from(["tensor", "tuple", "mapping", "list", "loader"]))
def test_every_example_comes_once_and_in_order(n, most, kind):
    x = torch.arange(n)
    inputs = {
        "tensor": x,
        "tuple": (x, -x),
        "mapping": {"a": x, "b": -x},
        "list": list(x.split(3)),
        "loader": DataLoader(list(zip(x, -x, strict=True)), batch_size=4),
    }[kind]
    pieces = list(batches(inputs, most, Two()))
    first = [
        piece["a"] if kind == "mapping" else piece if isinstance(piece, torch.Tensor) else piece[0] for piece in pieces
    ]
    assert torch.equal(torch.cat(first), x)
    assert count(inputs) == n
    if kind in ("tuple", "mapping", "loader"):
        assert torch.equal(torch.cat([called(Two(), piece) for piece in pieces]), -x * x)
    if kind in ("list", "loader"):
        assert all(len(piece) > 1 for piece in first)
    else:
        assert max(len(piece) for piece in first) <= most
        assert max(len(piece) for piece in first) - min(len(piece) for piece in first) <= 1


def test_labels_of_a_data_loader_are_left_out():
    loader = DataLoader(list(zip(torch.rand(8, 3), torch.arange(8), strict=True)), batch_size=4)
    (first, *more), *_ = batches(loader, 4, nn.Linear(3, 1))
    assert first.shape == (4, 3)
    assert not more


@pytest.mark.parametrize(
    ("inputs", "message"),
    [
        (iter([torch.zeros(2)]), "not an iterator"),
        ([], "there are no inputs"),
        ([torch.zeros(2), "text"], r"inputs\[1\] must be a tensor.*got str"),
        ([1, 2, 3], r"inputs\[0\] must be a tensor.*got int"),
        ((torch.zeros(2), torch.zeros(3)), r"as many examples each, got float32 \(2,\), float32 \(3,\)"),
        (torch.zeros(0, 3), r"at least one example, got float32 \(0, 3\)"),
        (torch.zeros(()), r"got float32 \(\)"),
        ({"x": 3}, "got x: int"),
        (np.array(["a"]), "arrays must hold numbers"),
        ("text", "got str"),
        (3, "got int"),
        (nn.Linear, "got the class Linear itself"),
    ],
)
def test_what_is_no_input_is_refused_in_a_line(inputs, message):
    with pytest.raises((TypeError, ValueError), match=message):
        list(batches(inputs, 4))
