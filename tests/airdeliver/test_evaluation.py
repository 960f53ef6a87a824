"""The fast evaluation gives what a plain loop gives."""

import pytest
import torch
from torch import nn

from airdeliver import AnalogLink, deliver, evaluate
from airdeliver.normalisation import estimate_statistics
from airdeliver.randomness import stream
from airdeliver.schemes import Clean
from channels import AWGN, Rayleigh


@pytest.fixture(scope="module")
def served(task):
    return task.dataset.prepare(task.dataset.test.images), task.dataset.test.labels


@pytest.mark.parametrize("kind", ["frozen", "receiver"])
def test_fast_evaluation_equals_a_plain_loop(task, clean, served, kind):
    images, labels = served
    model = task.build()
    model.load_state_dict(dict(next(iter(clean.values())).tensors))
    delivery = deliver(model, AnalogLink(), AWGN(), 8.0, 20_000, 4, normalisation=kind)
    report = evaluate(delivery, images, labels)
    for k in range(4):
        rows = torch.randperm(len(images), generator=stream(0, "calibration"))[:512]
        plain = delivery.model(k) if kind == "frozen" else estimate_statistics(delivery.model(k, images), images[rows])
        with torch.no_grad():
            accuracy = float((plain(images).argmax(1) == labels).float().mean())
        assert abs(float(report.per_realization[k]) - accuracy) <= 1 / len(labels)
    assert report.low < report.accuracy < report.high
    assert report.channel_low < report.accuracy < report.channel_high


def test_bfloat16_gives_nearly_the_same(task, clean, served):
    images, labels = served
    package = Clean().pack(task, clean, 20_000)
    delivery = Clean().send(package, AWGN(), 10.0, 20_000, "average", 4, 0)
    full, half = (evaluate(delivery, images, labels, precision=p) for p in ("float32", "bfloat16"))
    assert abs(full.accuracy - half.accuracy) < 0.02


def test_unusable_deliveries_count_as_chance(task, clean, served):
    images, labels = served
    package = Clean().pack(task, clean, 20_000)
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
    with pytest.raises(ValueError, match="as many labels"):
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


def test_shared_images_get_the_scores_that_all_images_give(task, clean, served):
    """What is scored is a random part of what a whole evaluation scores, and the same for every scheme."""
    images, labels = served
    delivery = Clean().send(Clean().pack(task, clean, 20_000), AWGN(), 5.0, 20_000, "average", 16, 0)
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


def test_shared_images_of_lost_deliveries_count_as_chance(task, clean, served):
    images, labels = served
    delivery = Clean().send(Clean().pack(task, clean, 20_000), Rayleigh(), -5.0, 20_000, "average", 32, 0)
    report = evaluate(delivery, images, labels, images_each=40)
    lost = ~delivery.usable_realizations
    assert torch.allclose(report.per_realization[lost], torch.tensor(0.1))
    assert torch.equal((~report.scores.isnan()).sum(1), torch.full((32,), 40))
