"""A network for a base and its refinement: trained both ways, sent the way that promises most."""

import pytest
import torch

from airdeliver.links import Knowledge, MixedLink
from airdeliver.recipe import Recipe
from airdeliver.schemes import Mixed
from airdeliver.training.methods.quantised import QUANTISER
from channels import AWGN, Rayleigh
from experiments.stage import closure

USES = 10_000


@pytest.fixture(scope="module")
def scheme():
    return Mixed(
        teacher=None,
        fine_tuning=Recipe(1, 64, 0.05),
        shares=[0.5],
        arrangements=("in turns",),
        grades_db=[0.0],
        table_snr_db=[0.0, 15.0],
        table_realizations=2,
    )


@pytest.fixture(scope="module")
def package(problem, clean, scheme):
    trained = dict(clean)
    for training in closure(scheme.trainings(problem, USES)):
        if training not in trained:
            trained[training] = training.run(problem.task, trained)
    assert QUANTISER in trained[training].state
    return scheme.pack(problem, trained, USES)


@pytest.mark.slow
def test_the_network_is_pruned_to_the_budget_and_sent_by_bits_and_as_it_is(package):
    (choice,) = package.choices
    assert isinstance(choice.link, MixedLink)
    assert choice.payload.layout.size <= USES / 1.7
    assert choice.link.plan(choice.payload, USES, Knowledge()).symbols <= USES


def test_more_snr_promises_more(package):
    (choice,) = package.choices
    for channel in (AWGN(), Rayleigh()):
        low, high = (float(choice.prospect(Knowledge("average", db, channel), USES)) for db in (-10.0, 20.0))
        assert low <= high <= 1


def test_delivery_is_the_same_each_time(package, scheme):
    first, again = (scheme.send(package, AWGN(), 10.0, USES, "average", 2, 0) for _ in range(2))
    assert torch.equal(first.groups[0].decoded.values, again.groups[0].decoded.values)
    assert first.channel_uses_spent <= USES


def test_what_cannot_be_is_refused():
    with pytest.raises(ValueError, match="uses_per_value and bits must be above 0"):
        Mixed(bits=0.0)
    assert Mixed().about().side == "mixed"
