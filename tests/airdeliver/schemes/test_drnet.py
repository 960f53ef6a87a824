"""DRNet: batch norms meet their own images, the predictor travels, what is drawn is told, costs are those of paths."""

from dataclasses import replace

import pytest
import torch

from airdeliver import AnalogLink
from airdeliver.architecture import DrawnResolution, Whole
from airdeliver.cost import multiply_accumulates
from airdeliver.delivery_cost import delivery_cost
from airdeliver.evaluation import evaluate
from airdeliver.links.condition import Condition
from airdeliver.models import CNN, DynamicResolution
from airdeliver.models.dynamic_resolution import PrivateNorm
from airdeliver.models.resizing import at_resolution
from airdeliver.normalisation import estimate_statistics
from airdeliver.payload import load
from airdeliver.randomness import stream
from airdeliver.recipe import Recipe
from airdeliver.schemes import DRNet
from airdeliver.training import Trained, Training
from airdeliver.training.fit import _optimizer
from airdeliver.training.methods import (
    Batch,
    ChosenResolution,
    Continued,
    EveryResolution,
    Plain,
    ThroughLink,
)
from airdeliver.training.methods.dynamic import settled
from channels import AWGN
from experiments.stage import closure

SCHEME = DRNet(resolutions=(8, 4), seen=8)
BUILDER = DynamicResolution(CNN(), (8, 4), 8)
USES = 20_000


@pytest.fixture
def images():
    return torch.randn(24, 1, 8, 8, generator=stream(1, "noise"))


@pytest.fixture
def network(images):
    """With private norms that differ and a predictor that chooses each resolution for half the images."""
    made = BUILDER(1, 10)
    generator = stream(0, "noise")
    with torch.no_grad():
        for parameter in made.parameters():
            parameter.add_(0.3 * torch.randn(parameter.shape, generator=generator))
        estimate_statistics(made, images)
        finer, coarser = made.logits(images).T
        made.predictor[-1].bias[0] -= (finer - coarser).median() + 1e-3
    return made


@pytest.fixture(scope="module")
def trained(problem) -> dict[Training, Trained]:
    short = replace(problem, training=Recipe(epochs=1, batch_size=128), fine_tuning=Recipe(epochs=1, batch_size=128))
    found: dict[Training, Trained] = {}
    for training in closure(SCHEME.trainings(short, USES)):
        found[training] = training.run(short.task, found)
    return found


@pytest.fixture(scope="module")
def short(problem):
    return replace(problem, training=Recipe(epochs=1, batch_size=128), fine_tuning=Recipe(epochs=1, batch_size=128))


def norms_of(network):
    return [module for module in network.modules() if isinstance(module, PrivateNorm)]


def test_each_image_is_said_what_the_network_says_at_its_resolution(network, images):
    network.eval()
    said, taken = network(images), network.taken
    assert 0 < int(taken.sum()) < len(images)
    for number in (0, 1):
        torch.testing.assert_close(said[taken == number], network.at(images, number)[taken == number])


def moments_of(network, number, images):
    """Mean of the first convolution of images at a resolution."""
    return network.network[0](at_resolution(images, network.resolutions[number])).mean((0, 2, 3))


def test_in_training_each_batch_norm_meets_its_own_images_alone(network, images):
    norm = norms_of(network)[0]
    for each in norm.norms:
        each.momentum = 1.0
    network.train()(images)
    assert 0 < int(network.taken.sum()) < len(images)
    for number in (0, 1):
        expected = moments_of(network, number, images[network.taken == number])
        torch.testing.assert_close(norm.norms[number].running_mean, expected, atol=1e-5, rtol=1e-4)


def test_estimated_moments_are_those_of_all_images_at_each_resolution(network, images):
    """Few images of one class may choose a resolution: 13 of 20 test images were wrong where these alone counted."""
    with torch.no_grad():
        network.predictor[-1].bias[0] += 100.0
    estimate_statistics(network, images)
    assert not network.taken.any()
    for number in (0, 1):
        expected = moments_of(network, number, images)
        torch.testing.assert_close(norms_of(network)[0].norms[number].running_mean, expected, atol=1e-5, rtol=1e-4)


def test_predictor_and_norms_of_each_resolution_are_in_the_payload(problem):
    layout = Whole.of(problem.task, BUILDER).layout(b"", statistics=False)
    plain = Whole.of(problem.task, CNN()).layout(b"", statistics=False)
    predictor = sum(p.numel() for p in BUILDER(1, 10).predictor.parameters())
    norms = 2 * (16 + 32 + 32)
    assert layout.size == plain.size + norms + predictor


def test_the_papers_predictor_is_as_small_as_it_says():
    network = DynamicResolution(CNN(), (32, 24, 16), 16)(3, 10)
    assert sum(p.numel() for p in network.predictor.parameters()) == 1467
    assert multiply_accumulates(network.predictor, torch.zeros(1, 3, 16, 16)) == pytest.approx(32_000, rel=0.01)


def test_a_path_costs_what_its_resolution_does_and_the_predictor(network):
    example = torch.zeros(1, 1, 8, 8)
    predictor = multiply_accumulates(network.predictor, example)
    for path, resolution in enumerate((8, 4)):
        alone = multiply_accumulates(CNN()(1, 10), torch.zeros(1, 1, resolution, resolution))
        assert multiply_accumulates(network.along(path), example) == alone + predictor
        assert multiply_accumulates(network.drawing([1.0, 1.0]).along(path), example) == alone


def run_of(short, network, **arguments):
    method = ChosenResolution(Plain(BUILDER), **arguments)
    run = method.start(short.task, {}, short.training, short.execution)
    run.network.load_state_dict(network.state_dict())
    return run


def test_the_choice_has_the_gradient_of_the_sum_over_resolutions(short, network, images):
    """That of the softmax by sum_j h_j <dL/dz, z_j>, z_j of the resolutions not chosen computed without a trace."""
    run = run_of(short, network, eta=0.0)
    run.network.eval()
    batch = Batch(images, torch.arange(24) % 10)
    outputs = run.outputs(batch, stream(0, "noise"))
    torch.testing.assert_close(outputs, run.network.routed(images, run.chosen))
    by_outputs = torch.autograd.grad(sum(run.terms(outputs, batch).values()), outputs, retain_graph=True)[0]
    weight = run.network.predictor[-1].bias
    (found,) = torch.autograd.grad(outputs, weight, by_outputs)
    every = torch.stack([run.network.at(images, number) for number in (0, 1)], 1).detach()
    uniform = torch.rand(24, 2, generator=stream(0, "noise"))
    soft = (run.network.logits(images).log_softmax(1) - (-uniform.log()).log()).softmax(1)
    value = (soft * (every * by_outputs[:, None]).sum(-1)).sum()
    torch.testing.assert_close(found, torch.autograd.grad(value, weight)[0], atol=1e-6, rtol=1e-4)


def test_what_is_not_chosen_leaves_no_moments(short, network, images):
    run = run_of(short, network)
    run.network.train()
    before = [norm.norms[1].running_mean.clone() for norm in norms_of(run.network)]
    with torch.no_grad(), settled(run.network):
        run.network.at(images, 1)
    torch.testing.assert_close([norm.norms[1].running_mean for norm in norms_of(run.network)], before, rtol=0, atol=0)
    assert all(norm.norms[1].training for norm in norms_of(run.network))


def test_operations_cost_only_beyond_the_bound(short, network, images):
    def term(bound):
        run = run_of(short, network, most_macs=bound, eta=1.0)
        batch = Batch(images, torch.arange(24) % 10)
        terms = run.terms(run.outputs(batch, stream(0, "noise")), batch)
        shares = torch.bincount(run.chosen, minlength=2) / 24
        excess = (shares @ run.macs - bound * run.macs[0]) / (run.macs[0] - run.macs[1])
        return float(terms["operations"].detach()), max(0.0, float(excess))

    for bound in (1.0, 0.3):
        got, expected = term(bound)
        assert got == pytest.approx(expected, abs=1e-6)
    assert term(1.0)[0] == 0 < term(0.3)[0]


def test_the_predictor_learns_slower(short):
    run = ChosenResolution(Plain(BUILDER), slower=0.25).start(short.task, {}, short.training, short.execution)
    optimizer = _optimizer(run.network, {}, short.training, run.rates())
    rates = {id(p): group["lr"] for group in optimizer.param_groups for p in group["params"]}
    for name, parameter in run.network.named_parameters():
        factor = 0.25 if name.startswith("predictor.") else 1.0
        assert rates.pop(id(parameter)) == factor * short.training.learning_rate
    assert not rates


def test_pretraining_is_the_sum_of_the_losses_and_teaches_the_predictor_nothing(short, images):
    run = EveryResolution(Plain(BUILDER)).start(short.task, {}, short.training, short.execution)
    run.network.eval()
    batch = Batch(images, torch.arange(24) % 10)
    terms = run.loss(batch, stream(0, "noise"))
    expected = [short.task.loss(run.network.at(images, number), batch.targets) for number in (0, 1)]
    torch.testing.assert_close(list(terms.values()), expected)
    sum(terms.values()).backward()
    assert all(p.grad is None for p in run.network.predictor.parameters())


def test_it_learns_through_the_link(short, trained):
    (training,) = SCHEME.trainings(short, USES)
    before = training.method.method.before
    condition = Condition(AnalogLink(protection="size"), AWGN(), 5.0)
    run = ThroughLink(ChosenResolution(Continued(before)), condition).start(
        short.task, trained, short.training, short.execution
    )
    assert set(run.rates().values()) == {0.1}
    inputs, targets = short.task.dataset.train.take(torch.arange(16))
    with run.arriving(stream(0, "noise")):
        sum(run.loss(Batch(short.task.dataset.prepare(inputs), targets), stream(0, "noise")).values()).backward()
    assert all(p.grad is not None for p in run.network.predictor.parameters())


@pytest.mark.parametrize("choice", ["predicted", "random", 4])
def test_the_receiver_tells_paths_and_pays_for_them(choice, short, trained):
    scheme = replace(SCHEME, choice=choice)
    package = scheme.pack(short, trained, USES)
    delivery = scheme.send(package, AWGN(), 60.0, USES, "average", 2, 0)
    inputs, targets = short.task.dataset.test.take(torch.arange(128))
    inputs = short.task.dataset.prepare(inputs)
    report = evaluate(delivery, inputs, targets, task=short.task)
    assert sum(report.paths.values()) == pytest.approx(1)
    assert list(report.paths) == ["8px", "4px"]
    received, sent = delivery.groups[0].network(), package.choices[0]
    load(received, sent.payload.layout, sent.payload.values)
    assert received.shares == {"predicted": None, 4: (0.0, 255.0)}.get(choice, received.shares)
    macs = [multiply_accumulates(received.along(path), inputs[:1]) for path in (0, 1)]
    cost = delivery_cost(delivery, inputs[:1], paths=report.paths)
    assert cost.macs == pytest.approx(sum(m * s for m, s in zip(macs, report.paths.values())))
    if choice == 4:
        assert report.paths["4px"] == 1
    if choice == "random":
        (training,) = scheme.trainings(short, USES)
        shares, told = scheme.shares(short, trained[training]), received.shares
        assert [share / sum(told) for share in told] == pytest.approx(shares, abs=0.005)


def test_bad_arguments_are_refused(short):
    with pytest.raises(ValueError, match="choice must be predicted, random or one of 8, 4"):
        replace(SCHEME, choice=5)
    with pytest.raises(ValueError, match="falling resolutions"):
        DRNet(resolutions=(4, 8))
    with pytest.raises(ValueError, match="whole numbers from 1 to 255"):
        DRNet(resolutions=(300,))
    with pytest.raises(ValueError, match="most_macs a share"):
        DRNet(most_macs=0.0)
    with pytest.raises(ValueError, match="temperature and slower"):
        ChosenResolution(Plain(BUILDER), temperature=0.0)
    with pytest.raises(ValueError, match="must be a ResolutionNetwork, got Sequential"):
        EveryResolution(Plain(CNN())).start(short.task, {}, short.training, short.execution)
    one = DynamicResolution(CNN(), (8,), 8)
    with pytest.raises(ValueError, match="at least two"):
        ChosenResolution(Plain(one)).start(short.task, {}, short.training, short.execution)
    with pytest.raises(ValueError, match="a byte each"):
        DrawnResolution(Whole.of(short.task, BUILDER)).receive(b"\0")
