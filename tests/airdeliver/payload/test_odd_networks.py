"""Networks that ended in a traceback, or whose learned values hid, as the fuzz run found them."""

import threading
from collections import defaultdict

import pytest
import torch
from torch import nn
from torch.nn.utils import prune as masks

from airdeliver import AnalogLink, deliver, evaluate, prune
from airdeliver.payload import architecture_of, load_tensors, payload_of
from airdeliver.payload.inputs import ForwardError
from airdeliver.payload.reach import numbers
from channels import AWGN

LABELS = torch.tensor([0, 1, 2, 0])


class Holding(nn.Module):
    def __init__(self, held: object) -> None:
        super().__init__()
        self.body, self.held = nn.Linear(4, 3), held

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.body(x)


TABLE = [[0.1 * i, -0.2, 0.3] for i in range(9)]


@pytest.mark.parametrize(
    "held",
    [TABLE, {"a": TABLE}, {i: i * i % 7 + 0.5 for i in range(20)}, {torch.randn(3): 1}, memoryview(bytes(range(64)))],
    ids=["lists", "a dictionary of lists", "a dictionary of numbers", "a key", "a memory view"],
)
def test_numbers_in_plain_containers_are_refused(held):
    with pytest.raises(ValueError, match=r"held.*would not be sent"):
        payload_of(Holding(held))


def test_what_a_default_dictionary_makes_is_refused():
    learned = torch.randn(3)
    with pytest.raises(ValueError, match="would not be sent"):
        payload_of(Holding(defaultdict(lambda: learned)))


def test_a_list_within_itself_ends():
    cycle: list = []
    cycle.append(cycle)
    assert numbers(cycle) is None
    assert payload_of(Holding(cycle)).layout.size == 15


class Locked(nn.Module):
    """What no deep copy takes, with a parameter that a pruning mask has changed."""

    def __init__(self) -> None:
        super().__init__()
        self.body, self.lock = nn.Sequential(*(nn.Linear(4, 4) for _ in range(20))), threading.Lock()

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.body(x)


def test_a_network_that_cannot_be_copied_keeps_its_parameters_apart():
    model = Locked()
    for layer in model.body:
        masks.l1_unstructured(layer, "weight", 0.5)
    for _ in range(5):  # what a copy remembers lies at addresses that are used again
        twin = architecture_of(model)
        assert all(bool(p.isnan().all()) for p in twin.parameters())


def test_a_network_without_values_is_scored():
    delivery = deliver(nn.Sequential(nn.Flatten()), AnalogLink(), AWGN(), 60.0, 1000, realizations=2)
    report = evaluate(delivery, torch.eye(3), torch.arange(3))
    assert report.accuracy == 1.0


def test_a_network_that_fails_says_on_what():
    delivery = deliver(nn.Linear(4, 3), AnalogLink(), AWGN(), 60.0, 1000, realizations=2)
    with pytest.raises(ForwardError, match=r"Linear fails on float32 \(4, 5\) \(RuntimeError: .*\): give inputs"):
        evaluate(delivery, torch.randn(4, 5), LABELS)


@pytest.mark.parametrize(
    ("form", "found"),
    [
        (lambda y: y.to(torch.cfloat), r"a tensor of shape \(4, 3\), complex64"),
        (lambda y: y.to_sparse(), "sparse_coo"),
        (lambda y: y.sum(), r"a tensor of shape \(\), float32"),
    ],
)
def test_answers_that_no_score_can_take_are_refused(form, found):
    class Odd(nn.Linear):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return form(super().forward(x))

    delivery = deliver(Odd(4, 3), AnalogLink(), AWGN(), 60.0, 1000, realizations=1)
    with pytest.raises(TypeError, match=found):
        evaluate(delivery, torch.randn(4, 4), LABELS)


def test_kernels_of_volumes_do_not_stop_images():
    class Both(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.flat, self.deep = nn.Conv2d(1, 2, 3), nn.Conv3d(1, 2, 1)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return self.deep(self.flat(x).unsqueeze(1)).mean((2, 3, 4)) @ torch.ones(2, 3)

    delivery = deliver(Both(), AnalogLink(), AWGN(), 60.0, 1000, realizations=1)
    assert 0 <= evaluate(delivery, torch.randn(4, 1, 5, 5), LABELS).accuracy <= 1


def test_expanded_buffers_are_loaded():
    def model() -> nn.Module:
        made = nn.Linear(2, 2)
        made.register_buffer("scale", torch.rand(3).expand(2, 3))
        return made

    source, target = model(), model()
    load_tensors(target, {name: tensor.clone() for name, tensor in source.state_dict().items()})
    assert torch.equal(target.scale, source.scale)
    with pytest.raises(RuntimeError, match="weight"):
        load_tensors(model(), {"scale": source.scale, "bias": source.bias})


@pytest.mark.usefixtures("unchecked")
def test_pruning_says_what_it_takes():
    example = torch.randn(2, 4)
    with pytest.raises(TypeError, match="give the module that it was made of"):
        prune(torch.jit.script(nn.Linear(4, 3)), AnalogLink(), 100, example)
    with pytest.raises(TypeError, match="give the module that it was made of"):
        prune(nn.Sequential(torch.jit.script(nn.Linear(4, 3))), AnalogLink(), 100, example)
    with pytest.raises(ValueError, match="on the meta device"):
        prune(nn.Linear(4, 3, device="meta"), AnalogLink(), 100, example)
    with pytest.raises(TypeError, match="link must be"):
        prune(nn.Linear(4, 3), example, 100)
    complex_one = nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 3))
    complex_one.register_parameter("phase", nn.Parameter(torch.randn(2, dtype=torch.chalf)))
    assert prune(complex_one, AnalogLink(), 1000, example).model()[0].out_features == 8
    empty = nn.Sequential(nn.Flatten())
    assert list(prune(empty, AnalogLink(), 1000, example).model().parameters()) == []
