"""The fast evaluation gives what a plain loop gives."""

import math

import pytest
import torch
from torch import nn

from airdeliver import AnalogLink, Fades, Report, deliver, evaluate
from airdeliver.data import load_dataset
from airdeliver.normalisation import estimate_statistics
from airdeliver.payload.inputs import called
from airdeliver.randomness import stream
from airdeliver.schemes import Clean
from airdeliver.task import Explained, MultiTask, Regression, Segmentation
from channels import AWGN, Rayleigh


@pytest.fixture(scope="module")
def served(task):
    return task.dataset.prepare(task.dataset.test.images), task.dataset.test.labels


@pytest.mark.parametrize("kind", ["frozen", "receiver"])
def test_fast_evaluation_equals_a_plain_loop(clean, served, kind):
    images, labels = served
    model = next(iter(clean.values())).model()
    delivery = deliver(model, AnalogLink(), AWGN(), 8.0, 20_000, 4, normalisation=kind)
    report = evaluate(delivery, images, labels)
    for k in range(4):
        rows = torch.randperm(len(images), generator=stream(0, "calibration", k))[:512]
        plain = delivery.model(k) if kind == "frozen" else estimate_statistics(delivery.model(k, images), images[rows])
        with torch.no_grad():
            accuracy = float((plain(images).argmax(1) == labels).float().mean())
        assert abs(float(report.per_realization[k]) - accuracy) <= 1 / len(labels)
    assert report.low < report.accuracy < report.high
    assert report.channel_low < report.accuracy < report.channel_high


def test_bfloat16_gives_nearly_the_same(problem, clean, served):
    images, labels = served
    package = Clean().pack(problem, clean, 20_000)
    delivery = Clean().send(package, AWGN(), 10.0, 20_000, "average", 4, 0)
    full, half = (evaluate(delivery, images, labels, precision=p) for p in ("float32", "bfloat16"))
    assert abs(full.accuracy - half.accuracy) < 0.02


def test_unusable_deliveries_count_as_chance(problem, clean, served):
    images, labels = served
    package = Clean().pack(problem, clean, 20_000)
    delivery = Clean().send(package, Rayleigh(), -5.0, 20_000, "average", 32, 0)
    report = evaluate(delivery, images, labels)
    lost = ~delivery.usable_realizations
    assert 0 < int(lost.sum()) < 32
    assert torch.allclose(report.per_realization[lost], torch.tensor(0.1))
    assert report.usable == 1 - float(lost.float().mean())
    with pytest.raises(ValueError, match="nothing usable arrived in realization"):
        delivery.model(int(torch.nonzero(lost)[0]), images)


def test_any_metric_may_be_given():
    model = nn.Linear(4, 2)
    delivery = deliver(model, AnalogLink(), AWGN(), 0.0, 500, 8)
    report = evaluate(delivery, metric=lambda m: float((m.weight - model.weight).square().mean()))
    assert report.per_realization.shape == (8,)
    assert 0 < report.low < report.accuracy < report.high
    assert (report.low, report.high) == (report.channel_low, report.channel_high)


def test_a_metric_without_chance_is_refused_where_nothing_arrived():
    delivery = deliver(nn.Linear(4, 2), AnalogLink(), AWGN(), -20.0, 500, 2)
    with pytest.raises(ValueError, match="give `chance`"):
        evaluate(delivery, metric=lambda m: 1.0)
    assert evaluate(delivery, metric=lambda m: 1.0, chance=0.25).accuracy == 0.25


def test_images_without_labels_are_refused():
    delivery = deliver(nn.Linear(4, 2), AnalogLink(), AWGN(), 5.0, 500, 2)
    with pytest.raises(ValueError, match="as many labels or targets, or a metric, got 3 and none"):
        evaluate(delivery, torch.zeros(3, 4))


def test_equal_payloads_are_evaluated_once():
    """Noiseless deliveries are all the same network."""
    calls = []

    class Counting(nn.Linear):
        def forward(self, x):
            calls.append(len(x))
            return super().forward(x)

    delivery = deliver(Counting(4, 2), AnalogLink(), AWGN(), float("inf"), 500, 5)
    evaluate(delivery, torch.randn(10, 4), torch.zeros(10, dtype=torch.int64))
    assert calls == [10]


def test_shared_images_get_the_scores_that_all_images_give(problem, clean, served):
    """What is scored is a random part of what a whole evaluation scores, and the same for every scheme."""
    images, labels = served
    delivery = Clean().send(Clean().pack(problem, clean, 20_000), AWGN(), 5.0, 20_000, "average", 16, 0)
    whole, shared = evaluate(delivery, images, labels), evaluate(delivery, images, labels, images_each=50)
    seen = ~shared.scores.isnan()
    assert torch.equal(seen.sum(1), torch.full((16,), 50))
    # Sums over batches of another size differ in their last bit, which may tip an image.
    assert float((shared.scores[seen] != whole.scores[seen]).float().mean()) < 0.01
    assert shared.channel_low < whole.accuracy < shared.channel_high
    assert len({tuple(row.nonzero().flatten().tolist()) for row in seen}) == 16
    assert torch.equal(evaluate(delivery, images, labels, images_each=len(images)).scores, whole.scores)
    with pytest.raises(ValueError, match="images_each must be between 1 and"):
        evaluate(delivery, images, labels, images_each=len(images) + 1)


def test_shared_images_of_lost_deliveries_count_as_chance(problem, clean, served):
    images, labels = served
    delivery = Clean().send(Clean().pack(problem, clean, 20_000), Rayleigh(), -5.0, 20_000, "average", 32, 0)
    report = evaluate(delivery, images, labels, images_each=40)
    lost = ~delivery.usable_realizations
    assert torch.allclose(report.per_realization[lost], torch.tensor(0.1))
    assert torch.equal((~report.scores.isnan()).sum(1), torch.full((32,), 40))


def sent(model: nn.Module, snr_db: float = 60.0, realizations: int = 2, **named):
    return deliver(model.eval(), AnalogLink(), AWGN(), snr_db, 100_000, realizations, normalisation="frozen", **named)


def seeded(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def test_a_metric_of_37_has_an_interval_around_37():
    model = nn.Linear(4, 2)
    report = evaluate(sent(model, 10.0, 8), metric=lambda m: 37 + float(m.weight.detach()[0, 0]))
    assert 30 < report.low < report.accuracy < report.high < 44
    assert report.metric == "metric"
    single = evaluate(sent(model, 10.0, 1), metric=lambda m: 37.0)
    assert (single.low, single.high) == (-math.inf, math.inf)


def test_a_metric_with_a_value_for_each_example_has_both_intervals():
    torch.manual_seed(0)
    model, inputs = nn.Linear(4, 2), torch.randn(50, 4, generator=seeded(0))
    labels = model(inputs).argmax(1)
    delivery = sent(model, 0.0, 8)
    report = evaluate(delivery, metric=lambda m: (m(inputs).argmax(1) == labels).float())
    plain = evaluate(delivery, inputs, labels)
    assert report.scores.shape == (8, 50)
    assert report.accuracy == pytest.approx(plain.accuracy)
    assert report.low < report.channel_low < report.channel_high < report.high


def test_a_metric_calibrates_on_as_many_inputs_as_labels_do():
    model = nn.Sequential(nn.Linear(4, 8), nn.BatchNorm1d(8), nn.Linear(8, 2))
    inputs = torch.randn(600, 4, generator=seeded(0))
    delivery = deliver(model.eval(), AnalogLink(), AWGN(), 10.0, 5000, 2)
    seen = []
    report = evaluate(delivery, inputs, metric=lambda m: seen.append(m[1].running_mean.clone()) or 0.0)
    rows = torch.randperm(600, generator=stream(0, "calibration"))[:512]
    assert torch.equal(seen[0], delivery.model(0, inputs[rows])[1].running_mean)
    assert report.calibration_inputs == 512
    assert evaluate(delivery, inputs, torch.zeros(600, dtype=torch.int64)).calibration_inputs == 512
    assert evaluate(sent(nn.Linear(4, 2)), inputs, metric=lambda m: 0.0).calibration_inputs == 0


@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_outputs_that_are_not_finite_are_a_broken_delivery_at_the_floor(value):
    """Where 90 % of the labels are 0, not a number must not reach 90 %."""

    class Broken(nn.Linear):
        def forward(self, x):
            return super().forward(x) + value

    inputs, labels = torch.randn(100, 4, generator=seeded(0)), (torch.arange(100) % 10 == 0).long()
    report = evaluate(sent(Broken(4, 2)), inputs, labels)
    assert (report.accuracy, report.finite, report.usable) == (0.5, 0.0, 1.0)
    assert evaluate(sent(nn.Linear(4, 2)), inputs, labels).finite == 1.0


@pytest.mark.parametrize(("outputs", "floor"), [(3, 1 / 3), (1, 0.5), (10, 0.1)])
def test_labels_that_do_not_show_all_classes_do_not_raise_the_floor(outputs, floor):
    """Where all images are of class 0, a broken network and one that did not arrive are worth what guessing is."""

    class Broken(nn.Linear):
        def forward(self, x):
            return super().forward(x) * math.nan

    inputs, labels = torch.randn(20, 4, generator=seeded(0)), torch.zeros(20, dtype=torch.int64)
    report = evaluate(sent(Broken(4, outputs)), inputs, labels)
    assert report.accuracy == pytest.approx(floor)
    faded = deliver(nn.Linear(4, outputs), AnalogLink(), Rayleigh(), -6.0, 2000, 24)
    lost = ~faded.usable_realizations
    assert 0 < int(lost.sum()) < 24
    assert torch.allclose(evaluate(faded, inputs, labels).per_realization[lost], torch.tensor(floor))


@pytest.mark.parametrize("dtype", [torch.float8_e4m3fn, torch.float8_e5m2])
def test_networks_that_store_eight_bits_are_given_inputs_as_they_are(dtype):
    class Stored(nn.Module):
        def __init__(self):
            super().__init__()
            self.weight = nn.Parameter(torch.randn(4, 2, generator=seeded(1)).to(dtype), requires_grad=False)

        def forward(self, x):
            return x @ self.weight.float()

    model, inputs = Stored(), torch.randn(50, 4, generator=seeded(0))
    assert evaluate(sent(model), inputs, model(inputs).argmax(1)).accuracy > 0.9


def test_a_metric_that_is_not_finite_needs_a_value_for_it():
    delivery = sent(nn.Linear(4, 2))
    with pytest.raises(ValueError, match="the metric is not finite in realization 0: give `chance`"):
        evaluate(delivery, metric=lambda m: math.nan)
    report = evaluate(delivery, metric=lambda m: math.nan, chance=0.5)
    assert (report.accuracy, report.finite) == (0.5, 0.0)


class Bag(nn.Module):
    """Token inputs."""

    def __init__(self):
        super().__init__()
        self.embedding, self.head = nn.Embedding(50, 16), nn.Linear(16, 5)

    def forward(self, tokens):
        return self.head(self.embedding(tokens).mean(1))


class Named(nn.Linear):
    """An answer in a mapping."""

    def forward(self, x):
        return {"logits": super().forward(x), "hidden": x}


class Two(nn.Linear):
    """Two inputs."""

    def forward(self, a, b):
        return super().forward(a * b)


class Viewing(nn.Module):
    """Flattens with `view`, which fails in channels-last memory."""

    def __init__(self, channels):
        super().__init__()
        self.convolution, self.head = nn.Conv2d(channels, 6, 3), nn.Linear(6 * 36, 5)

    def forward(self, x):
        return self.head(self.convolution(x).relu().view(x.size(0), -1))


def floats(*shape):
    return torch.randn(*shape, generator=seeded(1))


def cases() -> list[tuple]:
    """Models with weights of their own seed, whatever was drawn before them; no input is a near tie of answers."""
    with torch.random.fork_rng():
        torch.manual_seed(1)
        return [
            (Bag(), torch.randint(0, 50, (64, 7), generator=seeded(2))),
            (Bag(), torch.randint(0, 50, (64, 7), generator=seeded(2), dtype=torch.int32)),
            (nn.Linear(16, 5).half(), floats(64, 16)),
            (nn.Linear(16, 5).bfloat16(), floats(64, 16).bfloat16()),
            (nn.Linear(16, 5), floats(64, 16).double()),
            (Named(16, 5), floats(64, 16)),
            (Two(16, 5), (floats(64, 16), floats(64, 16) + 1)),
            (Two(16, 5), {"a": floats(64, 16), "b": floats(64, 16) + 1}),
            (Viewing(1), floats(64, 1, 8, 8)),
            (Viewing(3), floats(64, 3, 8, 8)),
            (Viewing(3), floats(64, 3, 8, 8).contiguous(memory_format=torch.channels_last)),
            (nn.Conv2d(3, 5, 3, padding=1), floats(16, 3, 8, 8)),
            (nn.Linear(16, 1), floats(64, 16)),
        ]


@pytest.mark.parametrize(("model", "inputs"), cases())
def test_what_the_sender_says_is_what_arrives_at_60_db(model, inputs):
    """Any inputs, precisions and answers: agreement with the sender's own classes."""
    with torch.no_grad():
        own = (
            inputs
            if not isinstance(inputs, torch.Tensor) or not inputs.is_floating_point()
            else inputs.to(next(model.parameters()).dtype).contiguous()
        )
        said = called(model.eval(), own)
    said = said["logits"] if isinstance(said, dict) else said
    labels = (said[:, 0] > 0).long() if said.shape[1] == 1 else said.argmax(1)
    for named in ({}, {"images_each": 8}):
        assert evaluate(sent(model), inputs, labels, **named).accuracy > 0.95


def test_numpy_arrays_are_inputs_and_labels():
    model, inputs = nn.Linear(4, 2), torch.randn(20, 4, generator=seeded(0))
    labels = model(inputs).argmax(1)
    assert evaluate(sent(model), inputs.numpy(), labels.numpy()).accuracy == 1.0


@pytest.mark.parametrize(
    ("targets", "named", "message"),
    [
        (torch.zeros(20), {}, "labels must be whole numbers, got torch.float32: labels.long.* task=Explained"),
        (-torch.ones(20, dtype=torch.int64), {}, "labels must be from 0 on, got -1"),
        (torch.zeros(19, dtype=torch.int64), {}, "as many labels or targets, or a metric, got 20 and 19"),
        ("labels", {}, "got 20 and str"),
        (torch.zeros(20, 3, dtype=torch.int64), {}, r"outputs \(20, 2\) and labels \(20, 3\)"),
        (torch.full((20,), 2), {}, r"each of the 3 classes, got outputs \(20, 2\)"),
        (torch.zeros(20, 3), {"task": Explained()}, r"outputs \(20, 2\) and targets \(20, 3\)"),
    ],
)
def test_arguments_that_cannot_be_scored_are_refused_in_one_line(targets, named, message):
    delivery = sent(nn.Linear(4, 2))
    with pytest.raises(ValueError, match=message) as raised:
        evaluate(delivery, torch.zeros(20, 4), targets, **named)
    assert "\n" not in str(raised.value)


def test_a_task_that_cannot_score_is_refused(unchecked):
    with pytest.raises(TypeError, match=r"task must be a task or a score of airdeliver.task, got str"):
        evaluate(sent(nn.Linear(4, 2)), torch.zeros(20, 4), torch.zeros(20, dtype=torch.int64), task="accuracy")


def test_regression_is_scored_by_its_task():
    task = Regression(load_dataset("diabetes"))
    inputs, targets = task.dataset.prepare(task.dataset.test.inputs), task.dataset.test.targets
    model = nn.Linear(10, 1)
    delivery = sent(model, 20.0, 4)
    report = evaluate(delivery, inputs, targets, task=task)
    answers = torch.stack([delivery.model(k)(inputs) for k in range(4)]).detach()
    assert report.accuracy == pytest.approx(1 - float((answers - targets).square().mean()), abs=1e-4)
    assert (report.metric, report.bounds) == ("r2", (-math.inf, 1.0))
    assert report.low < report.accuracy < report.high
    error = float((answers - targets).square().mean((1, 2)).sqrt().mean()) * task.dataset.targets.std[0]
    assert report.extras == {"rmse_progression": pytest.approx(error, rel=1e-4)}
    alone = evaluate(delivery, inputs, targets, task=Explained())
    assert torch.equal(alone.scores, report.scores)


def test_segmentation_reports_the_mean_iou_beside_its_score():
    task = Segmentation(load_dataset("digit_scenes"))
    images, masks = task.dataset.prepare(task.dataset.test.inputs[:30]), task.dataset.test.targets[:30]
    model = nn.Conv2d(3, 11, 3, padding=1)
    delivery = sent(model, 30.0, 2)
    report = evaluate(delivery, images, masks, task=task)
    outputs = [delivery.model(k)(images).detach() for k in range(2)]
    expected = [task.extras(task.tally(each, masks))["mean_iou"] for each in outputs]
    assert report.extras["mean_iou"] == pytest.approx(sum(expected) / 2, abs=1e-3)
    assert report.metric == "pixel_accuracy"
    assert report.scores.shape == (2, 30)


def test_lost_deliveries_count_as_the_floor_of_the_task():
    task = MultiTask(load_dataset("digits_and_ink"))
    images, targets = task.dataset.prepare(task.dataset.test.inputs), task.dataset.test.targets
    delivery = deliver(nn.Sequential(nn.Flatten(), nn.Linear(64, 11)), AnalogLink(), Rayleigh(), -5.0, 20_000, 16)
    report = evaluate(delivery, images, targets, task=task)
    lost = ~delivery.usable_realizations
    assert 0 < int(lost.sum()) < 16
    assert report.per_realization[lost].tolist() == pytest.approx([0.05] * int(lost.sum()))
    assert set(report.extras) == {"accuracy_digit", "r2_ink"}


def test_merged_reports_keep_score_and_bounds():
    task = Regression(load_dataset("diabetes"))
    inputs, targets = task.dataset.prepare(task.dataset.test.inputs), task.dataset.test.targets
    parts = [evaluate(sent(nn.Linear(10, 1), 20.0, 2, seed=seed), inputs, targets, task=task) for seed in (0, 1)]
    merged = Report.merged(parts)
    assert (merged.metric, merged.bounds, merged.finite) == ("r2", (-math.inf, 1.0), 1.0)
    assert merged.extras["rmse_progression"] == pytest.approx(sum(p.extras["rmse_progression"] for p in parts) / 2)


def test_one_example_says_nothing_of_others():
    """Eight deliveries that agree about it do not make its score certain."""
    model = nn.Linear(4, 2)
    for many in (8, Fades(sent=8, exact=20)):
        delivery = sent(model, realizations=many)
        inputs = torch.randn(1, 4, generator=seeded(0))
        report = evaluate(delivery, inputs, model(inputs).argmax(1))
        assert (report.accuracy, report.low, report.high) == (1.0, 0.0, 1.0)
        assert report.channel_low > 0.5
    number = evaluate(sent(model, realizations=8), metric=lambda m: 0.5)
    assert (number.low, number.high) == (0.5, 0.5)
