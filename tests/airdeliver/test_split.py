"""Split computing: what is delivered, what an inference takes, and when the split network is the cheaper one."""

import math

import pytest
import torch

from airdeliver import AnalogLink, Normalisation, evaluate
from airdeliver.cost import Price, break_even
from airdeliver.delivery import send
from airdeliver.delivery_cost import delivery_cost, served_uses
from airdeliver.links import FeatureLink
from airdeliver.links.analog.expansion import Repetition
from airdeliver.models import CNN, MLP, VGG, Bottlenecked
from airdeliver.package import Choice, Package
from airdeliver.recipe import Recipe
from airdeliver.schemes import Split
from channels import AWGN, Multicast, Rayleigh
from experiments.stage import closure

USES = 10_000
SHORT = {"imitation": Recipe(1, 64, 0.003, optimizer="adamw"), "fine_tuning": Recipe(2, 64, 0.05)}


def seeded(seed):
    return torch.Generator().manual_seed(seed)


def packed(problem, clean, scheme):
    trained = dict(clean)
    for training in closure(scheme.trainings(problem, USES)):
        if training not in trained:
            trained[training] = training.run(problem.task, trained)
    return scheme.pack(problem, trained, USES)


@pytest.fixture(scope="module")
def package(problem, clean):
    return packed(problem, clean, Split(channels=4, exit_drop=0.1, **SHORT))


@pytest.fixture(scope="module")
def served(problem):
    raw, targets = problem.task.dataset.test.take(torch.arange(360))
    return problem.task.dataset.prepare(raw), targets


@pytest.mark.parametrize("channels", [3, 12])
def test_the_device_of_a_vgg_has_464_values_and_66_a_channel_and_its_features_64(channels):
    cut = Bottlenecked(VGG(), channels)(3, 10)
    assert sum(p.numel() for p in cut.device.parameters()) == 464 + 66 * channels
    assert cut.device(torch.rand(2, 3, 32, 32)).flatten(1).shape == (2, 64 * channels)
    assert cut(torch.rand(2, 3, 32, 32)).shape == (2, 10)


def test_a_network_that_is_no_stack_is_refused():
    with pytest.raises(ValueError, match="a bottleneck needs a stack of convolutions"):
        Bottlenecked(MLP())(64, 10)
    with pytest.raises(ValueError, match="at least 1 channel"):
        Bottlenecked(CNN(), 0)


def test_features_have_power_1_in_every_image():
    features = Bottlenecked(CNN(), 4)(1, 10).eval().device(torch.rand(5, 1, 8, 8))
    assert torch.allclose(features.square().mean((1, 2, 3)), torch.ones(5), atol=1e-5)


@pytest.mark.parametrize("copies", [1, 3])
@pytest.mark.parametrize("n", [64, 7])
def test_features_arrive_with_the_error_of_linear_estimation(copies, n):
    """MMSE of unit-power values repeated k times over AWGN: 1 / (1 + k SNR)."""
    sent = torch.randn(2_000, n, generator=seeded(0))
    sent /= sent.square().mean(1, keepdim=True).sqrt()
    link = FeatureLink(Repetition(copies))
    error = (link.send(sent, AWGN(), 3.0, seeded(1)) - sent).square()
    expected = 1 / (1 + copies * 10**0.3)
    assert abs(error.mean() - expected) < 5 * error.mean(1).std() / math.sqrt(len(sent))
    assert link.uses(n, AWGN()) == math.ceil(n * copies / 2)


def test_every_image_meets_a_realization_of_its_own():
    sent = torch.ones(500, 8)
    arrived = FeatureLink().send(sent, Rayleigh(), 40.0, seeded(0))
    # The receiver knows each gain: what is left is deep fades, another for each image.
    assert arrived.mean(1).std() > 0
    with pytest.raises(ValueError, match="one server"):
        FeatureLink().send(sent, Multicast(AWGN()), 40.0, seeded(0))


def test_an_inference_takes_what_was_foretold_and_a_delivery_that_is_whole_takes_none(package, served):
    inputs, _ = served
    delivery = send(package, AWGN(), 10.0, USES, "average", 2, 0)
    answers = delivery.serve(inputs, seeded(0))
    each = 16 * 4 / 2
    assert set(answers.uses.tolist()) <= {0, int(each)}
    assert bool((answers.uses[answers.asked] == each).all())
    share = answers.asked.double().mean()
    # Validation and test inputs are different samples of as many: two standard errors of each, and 1 % beside.
    assert abs(delivery.uses(1) - delivery.channel_uses_spent - each * share) < each * (
        0.01 + 2 * math.sqrt(2 * share * (1 - share) / len(inputs))
    )
    choice = Choice.of(CNN()(1, 10), AnalogLink(), Normalisation())
    whole = send(Package((choice,), Normalisation()), AWGN(), 10.0, USES, "average", 1, 0)
    assert whole.uses(1_000) == whole.channel_uses_spent
    assert whole.serve(inputs, seeded(0)).outputs.shape == (360, 10)
    assert served_uses(whole, inputs) == 0


@pytest.mark.parametrize("snr_db", [0.0, 10.0])
def test_over_fading_it_is_foretold_over_the_law_of_the_gain(package, problem, snr_db):
    """On the inputs that the share was measured on: what is left are draws, of 32 fades against eight deliveries."""
    data = problem.task.dataset
    inputs = data.prepare(data.validation.take(torch.arange(len(data.validation)))[0])
    delivery = send(package, Rayleigh(), snr_db, USES, "average", 32, 0)
    heard = [i for group in delivery.groups for i in group.realizations[group.decoded.usable].tolist()]
    counted = torch.stack([delivery.serve(inputs, seeded(i), i).asked.double().mean() for i in heard])
    serving = delivery.groups[0].serving
    expected = serving.uses / serving.uses_when_asked
    assert abs(expected - counted.mean()) < 0.01 + 3 * counted.std() / math.sqrt(len(heard))


def test_break_even_is_where_it_was_foretold(problem, clean, served):
    """N* = (U_whole - U_head) / u from the layouts alone, against deliveries and served inputs, within 5 %."""
    inputs, _ = served
    split = packed(problem, clean, Split(channels=4, **SHORT))
    delivery = send(split, AWGN(), 10.0, USES, "average", 1, 0)
    choice = Choice.of(CNN()(1, 10), AnalogLink(), Normalisation())
    whole = send(Package((choice,), Normalisation()), AWGN(), 10.0, USES, "average", 1, 0)

    def told(segments):  # mean and scale in float16 at 1/4 bit a use, and the byte of each segment's kind
        return 8 * 4.2 * segments / 0.25

    head = (144 + 32 + 16 * 4 * 4 + 2 * 4) * 8 / 2 + told(6)
    foretold = (14_458 / 2 + told(11) - head) / (16 * 4 / 2)
    uses = delivery.serve(inputs, seeded(0)).uses
    total, counted = float(delivery.channel_uses_spent), 0
    while total + float(uses[counted % len(uses)]) <= whole.channel_uses_spent:
        total, counted = total + float(uses[counted % len(uses)]), counted + 1
    assert abs(foretold / counted - 1) < 0.05
    cost = delivery_cost(delivery, problem.task.signature.example())
    predicted = break_even(
        Price(whole.channel_uses_spent, 0), Price(delivery.channel_uses_spent, cost.uses_per_inference)
    )
    assert abs(predicted / counted - 1) < 0.05


def test_evaluation_serves_every_input_and_more_snr_helps(package, served, problem):
    inputs, targets = served
    low, high = (
        evaluate(send(package, AWGN(), db, USES, "average", 3, 0), inputs, targets, task=problem.task)
        for db in (-15.0, 15.0)
    )
    assert low.accuracy + 0.1 < high.accuracy
    again = evaluate(send(package, AWGN(), 15.0, USES, "average", 3, 0), inputs, targets, task=problem.task)
    assert torch.equal(again.scores, high.scores)


def test_a_split_scheme_says_what_is_wrong():
    with pytest.raises(ValueError, match="stages must be 1 or 2"):
        Split(stages=3)
    with pytest.raises(ValueError, match="exit_drop must be a share"):
        Split(exit_drop=2.0)
