"""One network for one quantiser, sent with the levels that it was trained with."""

from dataclasses import replace

import torch

from airdeliver import DigitalLink
from airdeliver.compression.quantisers import APoT, DoReFa, LSQPlus
from airdeliver.delivery_cost import delivery_cost
from airdeliver.models import CNN
from airdeliver.recipe import Recipe
from airdeliver.schemes import OneQuantiser
from airdeliver.training import Training
from channels import AWGN

SHORT = Recipe(epochs=1, batch_size=64, learning_rate=0.05)


def delivered(scheme: OneQuantiser, problem):
    problem = replace(problem, model=CNN(width=0.5), training=SHORT, fine_tuning=SHORT)
    (training,) = scheme.trainings(problem, 9000)
    (clean,) = training.needs
    known = {clean: clean.run(problem.task, {})}
    known[training] = training.run(problem.task, known)
    package = scheme.pack(problem, known, 9000)
    return scheme.send(package, AWGN(), 10.0, 9000, "average", 1, 0), known[training]


def test_weights_arrive_as_the_levels_that_were_trained(problem):
    """At most 2^4 values in a middle layer, those of the quantiser's state; its activations have 4 bits."""
    scheme = OneQuantiser(LSQPlus(bits=4, per_channel=True), 4, DigitalLink(phy="capacity"))
    delivery, trained = delivered(scheme, problem)
    weights = dict(delivery.model(0).named_parameters())
    # Of 8, 16 and 16 channels: the second and third convolution are large, the first and the last weights are not.
    own = trained.state["quantiser"]["tensors"]["steps"]
    assert len(own) == 16 + 16
    for weight in (weights["3.weight"], weights["7.weight"]):
        assert all(len(channel.unique()) <= 16 for channel in weight.flatten(1))
    cost = delivery_cost(delivery, torch.zeros(1, 1, 8, 8))
    assert cost.bit_operations < 1024 * cost.macs / 8
    assert scheme.about().title == "LSQPlus, 4 bits, activations of 4"


def test_every_reconstruction_travels(problem):
    for quantiser in (DoReFa(bits=3), APoT(bits=4)):
        delivery, _ = delivered(OneQuantiser(quantiser, link=DigitalLink(phy="capacity")), problem)
        weight = dict(delivery.model(0).named_parameters())["7.weight"]
        assert 2 < len(weight.unique()) <= 2**quantiser.bits


def test_activations_make_another_training(problem):
    first, second = (OneQuantiser(activation_bits=bits).trainings(problem, 9000)[0] for bits in (None, 8))
    assert first.needs == (Training.clean(problem),) != second.needs
