"""The table of results: what a task or a network says beside its score has columns behind all others."""

from types import SimpleNamespace

import pytest

from airdeliver.schemes import About
from channels import AWGN
from experiments import table


def cell(name):
    """All that a row is told of a cell."""
    return SimpleNamespace(
        about=About(name), scheme=name, dataset="digits", model="cnn", channel="awgn", knowledge="none", snr_db=5.0,
        channel_uses=100, train_channel="", seed=0, stage=SimpleNamespace(channel=AWGN()), metric="accuracy",
        bounds=(0.0, 1.0), floor=0.1, overrides="",
    )  # fmt: skip


def test_what_else_is_said_has_a_column_each_and_no_number_where_it_is_not_said():
    records = [
        {"accuracy": 0.9, "extras": {"mean_iou": 0.5}},
        {"accuracy": 0.8, "extras": {"share_8px": 0.25, "share_4px": 0.75}},
        {"accuracy": 0.7},
    ]
    found = table.of("mine", zip(map(cell, "abc"), records))
    assert tuple(found.columns) == (*table.COLUMNS, "mean_iou", "share_8px", "share_4px")
    assert found["mean_iou"].tolist() == pytest.approx([0.5, float("nan"), float("nan")], nan_ok=True)
    assert found["share_4px"].tolist() == pytest.approx([float("nan"), 0.75, float("nan")], nan_ok=True)


def test_what_else_is_said_never_takes_the_place_of_a_column():
    found = table.of("mine", [(cell("a"), {"accuracy": 0.9, "extras": {"accuracy": 0.1}})])
    assert found["accuracy"].tolist() == [0.9]
    assert tuple(found.columns) == table.COLUMNS
