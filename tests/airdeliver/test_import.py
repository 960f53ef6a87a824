"""What takes long to import is imported where it is needed."""

import json
import subprocess
import sys

import pytest

LONG = ("scipy.stats", "scipy.optimize", "sklearn", "pandas", "datasets", "keras", "matplotlib", "hydra", "sionna")

PROGRAM = f"""
import json, sys
import torch
import airdeliver, channels
channels.OFDM
imported = [name for name in {LONG!r} if name in sys.modules]

from airdeliver.payload import payload_of
payload_of(torch.nn.Linear(1, 1))
keras = [name for name in ("keras", "tensorflow") if name in sys.modules]

from airdeliver.cost import network_cost
from airdeliver.cost.memory import peak_activation_bytes
from airdeliver.recipe import Recipe
from airdeliver.training.fit import _optimizer
compiler = []
for name in ("sgd", "adamw", "muon"):
    network = torch.nn.Linear(3, 2)
    optimizer = _optimizer(network, {{}}, Recipe(optimizer=name), {{}})
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: 1.0)
    optimizer.zero_grad()
    network(torch.ones(1, 3)).sum().backward()
    optimizer.step()
    schedule.step()
    compiler += [name] * ("torch._dynamo" in sys.modules)
assert network_cost(network, torch.ones(1, 3)).macs == 6
assert peak_activation_bytes(network, torch.ones(1, 3)) > 0
compiler += ["counting"] * ("torch._dynamo" in sys.modules)
print(json.dumps([imported, keras, compiler]))
"""


@pytest.fixture(scope="module")
def told() -> list[list[str]]:
    ended = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=True)
    return json.loads(ended.stdout)


def test_an_import_of_the_library_leaves_out_what_takes_long(told):
    assert told[0] == []


def test_torch_models_never_import_tensorflow(told):
    assert told[1] == []


def test_nobody_who_trains_or_counts_operations_imports_the_compiler(told):
    assert told[2] == []
