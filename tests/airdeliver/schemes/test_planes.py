"""Bit planes: members of one network by precision, and a choice of planes and protection by the channel."""

from dataclasses import replace

import pytest
import torch

from airdeliver import DigitalLink, Normalisation
from airdeliver.compression.quantisers import State, Vertical
from airdeliver.delivery_cost import level_bits
from airdeliver.links import Knowledge
from airdeliver.links.digital import Abstraction
from airdeliver.links.digital.outlook import outlooks
from airdeliver.recipe import Recipe
from airdeliver.schemes import Planes
from airdeliver.schemes.planes import Promise, lengths_of
from airdeliver.training import Training
from airdeliver.training.methods import Batch, Continued, Layered, Plain
from channels import AWGN, Multicast
from tests.airdeliver.training.checkpoints import with_and_without_interruption

USES = 38_000


@pytest.fixture(scope="module")
def made(problem, clean):
    """The scheme, its problem, package and training."""
    scheme = Planes(link=DigitalLink(phy=Abstraction()))
    short = replace(problem, fine_tuning=Recipe(epochs=4, batch_size=64, learning_rate=0.02))
    (training,) = scheme.trainings(short, USES)
    known = {**clean, training: training.run(short.task, clean)}
    return scheme, short, scheme.pack(short, known, USES), known[training]


def test_every_precision_works(made):
    """From 2 planes on within a few points of all; one plane well above chance."""
    scores = made[2].choices[-1].expectation.scores
    assert len(scores) == 8
    assert scores[7] > 0.75
    assert min(scores[1:]) > scores[7] - 0.1, scores
    assert scores[0] > 0.4


def test_a_better_channel_gets_more_planes(made):
    """The sender that knows the SNR sends few planes at 1 dB and all at 20 dB; more arrive as more are sent."""
    scheme, _, package, _ = made
    sent = []
    for snr_db in (1.0, 20.0):
        delivery = scheme.send(package, AWGN(), snr_db, USES, "average", 1, 0)
        (group,) = delivery.groups
        assert bool(group.decoded.usable.all())
        sent.append(len(group.plan.lengths) - 1)
        assert delivery.channel_uses_spent <= USES
        bits = level_bits(group.plan.levels)["3.weight"]
        assert bits == sent[-1]
    assert sent[0] < sent[1] == 8


def test_receivers_of_unlike_snr_have_networks_of_unlike_precision(made):
    """One transmission on a ladder: the receiver at 20 dB has more levels than the one at 2 dB, both the same signs."""
    scheme, _, package, _ = made
    link = scheme.sending(4, ladder=0.6)
    choice = replace(package.choices[0], link=link, expectation=None)
    channel = Multicast(AWGN(), receivers=2, cell=None, offsets_db=(0.0, -14.0))
    delivery = scheme.send(replace(package, choices=(choice,)), channel, 16.0, USES, "average", 1, 0)
    (group,) = delivery.groups
    assert bool(group.decoded.usable.all())
    near, far = (dict(delivery.model(row).named_parameters())["3.weight"] for row in (0, 1))
    assert len(near.unique()) > len(far.unique()) >= 2
    assert torch.equal(near > 0, far > 0)


def test_what_is_promised_is_what_is_delivered(made):
    """On AWGN with room to spare nothing is lost: the promise is the validation score of all planes."""
    package = made[2]
    best = package.choices[int(package.select(Knowledge("average", 25.0, AWGN()), 60_000)[0])]
    promised = best.prospect(Knowledge("average", 25.0, AWGN()), 60_000)
    assert float(promised[0]) == pytest.approx(max(best.expectation.scores), abs=0.02)
    nothing = package.choices[-1].prospect(Knowledge("average", 25.0, AWGN()), 100)
    assert float(nothing[0]) == -float("inf")


def test_planes_of_one_grade_are_promised_as_one_block(made):
    """On one grade all planes are in one transport block: they arrive with its probability, not with a product."""
    scheme, _, package, _ = made
    link, scores, floor = scheme.sending(8), (0.5, 0.6, 0.7, 0.8, 0.85, 0.9, 0.92, 0.95), 0.1
    promise = Promise(replace(link, phy=Abstraction(protection=1.0)), package.choices[0].payload, scores, floor)
    physical, lengths = promise.link.phy, lengths_of(promise)
    partial = 0
    uses = promise.link.room(promise.payload.layout, USES)
    assert isinstance(physical, Abstraction)
    slowest = next(g for g in range(physical.fastest + 1) if physical.symbols(lengths, g) <= uses)
    for snr_db in torch.linspace(-2, 20, 45).tolist():
        known = Knowledge("average", snr_db, AWGN())
        outlook = outlooks(known, 5.0, USES, physical.alphabets)[0]
        lost = physical.failure(torch.tensor([slowest]), outlook, physical.symbols(lengths, slowest))
        partial += 0.05 < float(lost) < 0.95
        expected = floor + (scores[-1] - floor) * (1 - float(lost))
        assert float(promise.of(known, USES)) == pytest.approx(expected, abs=1e-5)
    assert partial


def test_a_layered_training_resumes_bit_for_bit(problem, clean):
    (start,) = clean
    method = Layered(Continued(start), Vertical(bits=4), (1, 2, 4))
    training = Training.of(problem, method, Recipe(epochs=2, batch_size=128, learning_rate=0.02))
    trained, _ = with_and_without_interruption(training, problem.task, clean, 1)
    assert set(trained.state["terms"]) == {"task", "planes"}


def test_gradients_of_all_precisions_reach_the_weights(problem, clean):
    """With planes alone in the loss, the weights still learn."""
    method = Layered(Plain(problem.model), Vertical(bits=4), (1, 4))
    run = method.start(problem.task, {}, problem.training, problem.execution)
    batch = Batch(torch.randn(16, 1, 8, 8, generator=torch.Generator().manual_seed(0)), torch.arange(16) % 10)
    terms = run.loss(batch, torch.Generator().manual_seed(0))
    terms["planes"].backward()
    assert all(float(p.grad.abs().max()) > 0 for name, p in run.network.named_parameters() if p.ndim > 1)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Planes(link=DigitalLink(phy="capacity")), "planes need a physical layer with a grade for each"),
        (lambda: Planes(normalisation=Normalisation("frozen")), "each precision has batch-norm statistics of its own"),
        (lambda: Layered(Plain(None), Vertical(4), (1, 8)), "precisions must rise from 1 to at most 4"),  # type: ignore
    ],
)
def test_what_cannot_be_is_refused(make, message: str, unchecked):
    with pytest.raises(ValueError, match=message):
        make()


def test_all_planes_are_the_quantiser_s_own_answer(made):
    scheme, _, package, _ = made
    payload = package.choices[-1].payload
    link = scheme.sending(8)
    levels = link.quantiser.levels(payload.values, payload.layout, State())
    contents = link.codec.unpack(link.codec.pack(levels).data, payload.layout)
    assert torch.equal(contents.values, scheme.quantiser.quantise(payload.values, payload.layout, State()))
