"""Elastic networks: what training and evaluating each costs, over one network of the same architecture."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial

import torch

from airdeliver import Execution, Problem
from airdeliver.delivery import send
from airdeliver.elastic import ExitsBuilder, Ordered, Sandwich, SlimmableBuilder, Statistics
from airdeliver.evaluation import evaluate
from airdeliver.models import VGG
from airdeliver.recipe import Recipe
from airdeliver.schemes import ElasticNetwork, GatedExits, MutualNet, ParaDiS, SPNet
from airdeliver.task import Classification
from airdeliver.training import Trained, Training
from airdeliver.training.methods import Distillation, Teaching
from benchmarks.ratio import Ratio, speed_ratio
from benchmarks.training import noise_images
from channels import AWGN

IMAGES, BATCH = 512, 64
"""Of a training: a few steps, so that all systems are timed in turns within minutes."""

USES = 70_000

TAUGHT = Teaching("largest", Distillation(1.0, 1.0), share=1.0)
CALIBRATED = Statistics(moments="calibrated", batches=2)

SYSTEMS: Mapping[str, ElasticNetwork] = {
    "US-Nets": ElasticNetwork(
        builder=SlimmableBuilder(grid=16, statistics=CALIBRATED), sampler=Sandwich(2), teaching=TAUGHT
    ),
    "slimmable": ElasticNetwork(builder=SlimmableBuilder(statistics=Statistics("own"))),
    "FjORD": ElasticNetwork(
        builder=SlimmableBuilder(widths=(0.2, 0.4, 0.6, 0.8, 1.0)), sampler=Ordered(), teaching=TAUGHT
    ),
    "MutualNet": MutualNet(builder=SlimmableBuilder(grid=16, statistics=CALIBRATED)),
    "SP-Net": SPNet(),
    "exits": GatedExits(builder=ExitsBuilder((2, 3))),
    "ParaDiS": ParaDiS(),
}


def measure() -> list[Ratio]:
    """The 115k VGG on images of CIFAR-10's shape: an epoch of each training, and two deliveries of each member."""
    recipe = Recipe(epochs=1, batch_size=BATCH, learning_rate=0.01)
    task, execution = Classification(noise_images(IMAGES)), Execution(threads=torch.get_num_threads())
    problem = Problem(task, VGG(), recipe, recipe, execution)
    one = ElasticNetwork(builder=SlimmableBuilder(widths=(1.0,), statistics=Statistics("own")))
    known, ratios = trained(one, problem), []
    for name, system in SYSTEMS.items():
        made = trained(system, problem)
        ratios += [
            _times(f"train: {name} / one", partial(trained, system, problem), partial(trained, one, problem)),
            _times(
                f"evaluate: members of {name} / one",
                partial(evaluated, system, problem, made),
                partial(evaluated, one, problem, known),
            ),
        ]
    return ratios


def _times(name: str, ours: Callable[[], object], baseline: Callable[[], object]) -> Ratio:
    """A ratio of times: of speeds, the other way round."""
    ratio = speed_ratio(name, ours, baseline)
    return replace(ratio, value=1 / ratio.value, low=1 / ratio.high, high=1 / ratio.low)


def trained(scheme: ElasticNetwork, problem: Problem) -> dict[Training, Trained]:
    """All trainings of a scheme, those that they need first."""
    found: dict[Training, Trained] = {}

    def run(training: Training) -> None:
        for needed in training.needs:
            run(needed)
        if training not in found:
            found[training] = training.run(problem.task, found)

    for training in scheme.trainings(problem, USES):
        run(training)
    return found


def evaluated(scheme: ElasticNetwork, problem: Problem, trained: Mapping[Training, Trained]) -> list[float]:
    """Two deliveries of every member, scored on the training images; what the sender measures before is left out."""
    data, found = problem.task.dataset, []
    inputs, targets = data.train.take(torch.arange(IMAGES))
    for member in range(scheme.count):
        package = ElasticNetwork.pack(replace(scheme, member=member), problem, trained, USES)
        delivery = send(package, AWGN(), 10.0, USES, "average", 2, 0)
        found.append(evaluate(delivery, data.prepare(inputs), targets, task=problem.task).accuracy)
    return found
