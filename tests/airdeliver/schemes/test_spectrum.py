"""The schemes that hold several networks: what they train, what they send, and that bad arguments are refused."""

from dataclasses import replace

import pytest
import torch

from airdeliver import AnalogLink, Normalisation, Problem
from airdeliver.package import Package
from airdeliver.recipe import Recipe
from airdeliver.schemes import AirNetSpectrum, SeparateNetworks
from airdeliver.spectrum import SelectingPackage
from airdeliver.training import Training
from channels import AWGN, Rayleigh
from experiments.stage import closure

USES = 8701


@pytest.fixture(scope="module")
def quick(problem) -> Problem:
    return replace(problem, fine_tuning=Recipe(epochs=1, batch_size=64, learning_rate=0.05))


def packed(scheme, problem, clean) -> Package:
    trained = dict(clean)
    for training in closure(scheme.trainings(problem, USES)):
        if training not in trained:
            trained[training] = training.run(problem.task, trained)
    return scheme.pack(problem, trained, USES)


@pytest.mark.parametrize("kind", ["receiver", "sender"])
def test_the_sender_sends_the_member_that_is_best_at_the_snr(kind, quick, clean):
    """Within the budget, whatever is sent; fewer parameters at low SNR; each realization its own member."""
    scheme = AirNetSpectrum(
        link=AnalogLink(protection="equal"),
        normalisation=Normalisation(kind, 128),
        table_realizations=1,
        table_snr_db=(-5.0,),
    )
    package = packed(scheme, quick, clean)
    assert isinstance(package, SelectingPackage)
    table = torch.eye(4).flip(0)[[3, 2, 1, 0]]
    package = replace(package, table=replace(package.table, snr_db=scheme.design_snr_db, accuracy=table))
    sent = [scheme.send(package, AWGN(), snr, USES, "average", 1, 0) for snr in scheme.design_snr_db]
    assert [d.parameters_sent for d in sent] == [c.payload.layout.size for c in package.choices]
    assert all(0.98 * USES <= d.channel_uses_spent <= USES and d.power <= 1 + 1e-4 for d in sent)
    fading = scheme.send(package, Rayleigh(), 5.0, USES, "instantaneous", 16, 0)
    assert len({group.layout for group in fading.groups}) > 1
    assert fading.realizations == 16


def test_separate_networks_are_each_trained_at_one_snr(quick, clean):
    scheme = SeparateNetworks(design_snr_db=(0.0, 10.0), table_realizations=1, table_snr_db=(0.0,))
    trainings = scheme.trainings(quick, USES)
    assert [t.method.condition.snr_db for t in trainings] == [0.0, 10.0]
    assert all(t.needs == (Training.clean(quick),) for t in trainings)
    package = packed(scheme, quick, clean)
    assert [c.link.expansion.inputs for c in package.choices] == [4, 1]
    assert package.table.accuracy.shape == (2, 1)


def test_a_member_says_what_it_is_trained_at():
    assert AirNetSpectrum(member=2).about().train_snr_db == (2.5, 7.5)
    assert AirNetSpectrum().about().train_snr_db == (-5.0, 15.0)


def test_bad_arguments_are_refused():
    with pytest.raises(ValueError, match="increasing numbers"):
        AirNetSpectrum(design_snr_db=(5.0, 0.0))
    with pytest.raises(ValueError, match="span_db must contain"):
        AirNetSpectrum(span_db=(0.0, 15.0))
    with pytest.raises(ValueError, match="from 0 to 3, got 4"):
        AirNetSpectrum(member=4)
