"""For every scheme of every experiment: recipe, bytes and samples are enough to rebuild what was delivered."""

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from airdeliver import AnalogLink, DigitalLink, Execution, Problem
from airdeliver.data import load_dataset
from airdeliver.links import Knowledge
from airdeliver.models import CNN
from airdeliver.payload import Payload, load
from airdeliver.plain import to_plain
from airdeliver.recipe import Recipe
from airdeliver.schemes import Digital, Scheme
from airdeliver.schemes.spectrum import Selecting
from airdeliver.task import Classification
from channels import AWGN
from experiments.command_line import read
from experiments.configuration import configure
from experiments.planner import matched_channel_uses
from experiments.stage import closure

ROOT = Path(__file__).parents[2]
EXPERIMENTS = sorted(path.stem for path in (ROOT / "experiments" / "conf" / "experiment").glob("*.yaml"))


@pytest.fixture(scope="module")
def problem() -> Problem:
    recipe = Recipe(epochs=1, batch_size=64)
    return Problem(Classification(load_dataset("digits")), CNN(), recipe, recipe, Execution(seed=0))


def schemes(experiments: list[str]) -> dict[str, Scheme]:
    """All schemes of some experiments, equal ones once, the tables that they choose by as small as they can be."""
    found: dict[Scheme, str] = {}
    for experiment in experiments:
        for name, scheme in configure(read([f"experiment={experiment}", "dataset=digits"])).schemes.items():
            found.setdefault(scheme, name)
    return {name: _quick(scheme) for scheme, name in found.items()}


def _quick(scheme: Scheme) -> Scheme:
    if isinstance(scheme, Selecting):
        return replace(scheme, table_snr_db=(0.0, 10.0), table_realizations=1, table_images=50)
    if isinstance(scheme, Digital) and scheme.train_bits:
        return replace(scheme, train_bits=(1.0, 0.4), keep=(1.0, 0.5))
    return scheme


def sent(scheme: Scheme, problem: Problem, trained: dict, symbols: int) -> tuple[dict, list[float]]:
    """What a receiver is told of one delivery at 10 dB, and what the sender's own process makes of it."""
    for training in closure(scheme.trainings(problem, symbols)):
        if training not in trained:
            trained[training] = training.run(problem.task, trained)
    package = scheme.pack(problem, trained, symbols)
    channel, noise = AWGN(), torch.Generator().manual_seed(3)
    if package.normalisation.kind == "sender":
        package = package.with_statistics(channel, 10.0, symbols, noise)
    known = Knowledge("average", 10.0, channel)
    choice = package.choices[int(package.select(known, symbols)[0])]
    values, statistics = choice.payload.values, package.normalisation.sends_statistics
    plan = choice.link.plan(Payload(values, choice.payload.layout, choice.payload.sensitivity), symbols, known)
    state = channel.realize(1, symbols, 10.0, noise)
    told = {
        "recipe": {
            "architecture": to_plain(choice.architecture),
            "link": to_plain(scheme.link if isinstance(choice.link, DigitalLink) else choice.link),
            "statistics": statistics,
        },
        "description": choice.payload.layout.description.hex(),
        "side_information": plan.to_bytes().hex(),
        "gain": torch.view_as_real(state.gain).tolist(),
        "noise_variance": state.noise_variance.tolist(),
    }
    if isinstance(choice.link, AnalogLink):
        received = channel.transmit(choice.link.encode(values, plan), state, noise)
        told |= {"samples": torch.view_as_real(received.samples).tolist()}
        told |= {"gain": torch.view_as_real(received.gain).tolist(), "noise_variance": received.noise_variance.tolist()}
        decoded = choice.link.decode(received, plan)
    else:
        carried = choice.link.phy.carry(plan.container, plan.grade, channel, state, noise)
        told |= {"rows": [None if row is None else row.hex() for row in carried.rows]}
        decoded = choice.link._rebuilt(carried.rows, plan, state)
    model = load(choice.architecture.receive(choice.payload.layout.description), plan.layout, decoded.values[0])
    tensors = [tensor.flatten() for tensor in model.state_dict().values() if tensor.is_floating_point()]
    return told, torch.cat(tensors).tolist()


@pytest.mark.parametrize(
    ("experiments", "least"), [(["demo"], 6), pytest.param(EXPERIMENTS, 20, marks=pytest.mark.slow)]
)
def test_a_fresh_process_rebuilds_what_every_scheme_delivers(experiments, least, problem, tmp_path):
    symbols, trained = matched_channel_uses(problem, AWGN(), "frozen"), {}
    both = {name: sent(scheme, problem, trained, symbols) for name, scheme in schemes(experiments).items()}
    assert len(both) >= least
    arrived, rebuilt = tmp_path / "arrived.json", tmp_path / "values.json"
    arrived.write_text(json.dumps({name: told for name, (told, _) in both.items()}))
    command = [sys.executable, "-m", "tests.experiments.fresh_receiver", str(arrived), str(rebuilt)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True)
    values = json.loads(rebuilt.read_text())
    assert [name for name, (_, expected) in both.items() if values[name] != expected] == []
