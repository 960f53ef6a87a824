"""`python -m experiments.zoo --from key=value ...`: keep the networks of a finished sweep, with what they score."""

import argparse
import shlex
from collections.abc import Iterator, Sequence
from pathlib import Path

import torch
from torch import Tensor

from airdeliver import deliver, evaluate
from airdeliver.arrival import share_interval
from airdeliver.data import Split
from airdeliver.evaluation import Report
from airdeliver.normalisation import Normalisation, estimate_statistics
from airdeliver.package import Package
from airdeliver.training import Trained, Training
from airdeliver.training.training import threads
from airdeliver.zoo import Card, Score, keep_sample, save
from airdeliver.zoo.card import NETWORKS, write_card
from airdeliver.zoo.file import read, sha256
from airdeliver.zoo.sample import SAMPLES, stratified
from channels import AWGN
from experiments.cell import CellStage
from experiments.command_line import read as read_command
from experiments.configuration import Sweep, configure
from experiments.planner import Cell, plan
from experiments.stage import StoredTrainings, closure
from experiments.store import Store

SNR_DB = (-5.0, 0.0, 5.0, 10.0, 15.0, 20.0)

LICENCES = {
    "digits": "weights: Apache-2.0, as airdeliver; data: the digits that come with scikit-learn",
    "cifar10": "weights: Apache-2.0, as airdeliver; data: A. Krizhevsky, Learning Multiple Layers of Features from "
    "Tiny Images, 2009, published without a licence: for research",
}


def main(arguments: list[str] | None = None) -> None:
    """Write the networks of a sweep, their cards and a sample of test images; ends with one line if that cannot be.

    Args:
        arguments: of the command line.
    """
    options = _parser().parse_args(arguments)
    try:
        sweep = configure(read_command(list(options.sweep)))
        for cell in _firsts(sweep):
            print(keep(sweep, cell, options.sweep, options.networks, options.realizations, options.images))
        if options.each:
            print(keep_sample(plan(sweep).cells[0].stage.problem.dataset.load(), options.each, options.samples))
    except (ValueError, OSError) as error:
        raise SystemExit(" ".join(str(error).split())) from error


def keep(
    sweep: Sweep, cell: Cell, arguments: Sequence[str], folder: Path, realizations: int = 16, images: int | None = None
) -> Card:
    """Write one network and its card; the scores are those of the file's weights.

    Args:
        sweep: finished.
        cell: of the scheme.
        arguments: of the sweep, for the card.
        folder: that both files go to.
        realizations: independent deliveries behind each score.
        images: of the test split, behind each score; None for all.

    Raises:
        ValueError: a scheme of several networks, or one that has not been trained.
    """
    stage = cell.stage
    problem = stage.problem.load()
    package, trained = _packed(stage, Store(sweep.store))
    (choice,) = package.choices
    name = f"{Path(sweep.dataset).name}_{stage_name(cell)}"
    path = save(trained, folder / f"{name}.safetensors")
    network, dataset = read(path), stage.problem.dataset.load()
    test = dataset.test
    if images is not None and images < len(test):
        test = Split(*test.take(stratified(test, dataset.classes, images // dataset.classes)))
    inputs = dataset.prepare(test.inputs)
    with threads(problem.execution.threads):
        scores = [_itself(network, inputs, test.targets, package.normalisation)]
        for snr_db in SNR_DB:
            sent = deliver(network, choice.link, AWGN(), snr_db, stage.channel_uses, realizations, 0,
                           normalisation=package.normalisation)  # fmt: skip
            scores.append(_delivered(snr_db, evaluate(sent, inputs, test.targets), realizations))
    recipes = [f"{t.recipe.epochs} epochs, {type(t.method).__name__}" for t in closure(_trainings(stage))]
    card = Card(
        name=name,
        title=cell.about.title,
        dataset=Path(sweep.dataset).name,
        model=type(sweep.model).__name__,
        parameters=sum(p.numel() for p in network.model().parameters()),
        training=f"seed {problem.execution.seed}, {'; then '.join(recipes)}",
        command=shlex.join(["python", "-m", "experiments.sweep", *_public(arguments)]),
        licence=LICENCES[Path(sweep.dataset).name],
        link=choice.link,
        normalisation=package.normalisation,
        channel_uses=stage.channel_uses,
        scores=tuple(scores),
        sha256=sha256(path),
    )
    write_card(card, folder)
    return card


def stage_name(cell: Cell) -> str:
    """The scheme's name, without the star of one that the command line has changed."""
    return cell.scheme.rstrip("*")


def _firsts(sweep: Sweep) -> Iterator[Cell]:
    """One cell of each scheme, in the order of the sweep."""
    seen: set[str] = set()
    for cell in plan(sweep).cells:
        if cell.scheme not in seen:
            seen.add(cell.scheme)
            yield cell


def _trainings(stage: CellStage) -> tuple[Training, ...]:
    return stage.scheme.trainings(stage.problem.load(), stage.channel.symbols(stage.channel_uses))


def _packed(stage: CellStage, store: Store) -> tuple[Package, Trained]:
    trainings = _trainings(stage)
    if len(trainings) != 1:
        raise ValueError(f"{stage.label} sends several networks: the zoo keeps schemes of one")
    if not all(store.has("training", key) for key in stage.needs):
        raise ValueError(f"{stage.label} has not been trained: run `python -m experiments.sweep` first")
    stored = StoredTrainings(store, dict(zip(closure(trainings), stage.needs, strict=True)))
    with threads(stage.problem.execution.threads):
        package = stage.scheme.pack(stage.problem.load(), stored, stage.channel.symbols(stage.channel_uses))
    trained, sensitivity = stored[trainings[0]], package.choices[0].payload.sensitivity
    if sensitivity is not None:
        trained = Trained(trained.tensors, trained.architecture, trained.description,
                          {"sensitivity": [float(f"{value:.6g}") for value in sensitivity.tolist()]})  # fmt: skip
    return package, trained


@torch.no_grad()
def _itself(network: Trained, inputs: Tensor, labels: Tensor, normalisation: Normalisation) -> Score:
    """Of the network that nothing was done to, with the batch-norm statistics that a receiver would have."""
    model = network.model()
    if not normalisation.sends_statistics:
        estimate_statistics(model, inputs[: normalisation.calibration_inputs])
    right = torch.cat([model(part).argmax(1) for part in inputs.split(1000)]) == labels
    found = share_interval(float(right.double().mean()), len(labels))
    return Score(None, round(found.mean, 5), round(found.low, 5), round(found.high, 5), 0, len(labels))


def _delivered(snr_db: float, report: Report, realizations: int) -> Score:
    ends = round(report.accuracy, 5), round(report.low, 5), round(report.high, 5)
    return Score(snr_db, *ends, realizations, report.scores.shape[1])


def _public(arguments: Sequence[str]) -> list[str]:
    """What in a command is not true of one machine alone."""
    return [a for a in arguments if not a.startswith(("store=", "hydra.run.dir=", "dataset.path="))]


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m experiments.zoo",
        description="Keep the networks of a finished sweep, with cards, and a sample of the data's test images.",
    )
    parser.add_argument("--from", dest="sweep", nargs="+", required=True, metavar="key=value", help="the sweep's own")
    parser.add_argument("--networks", type=Path, default=NETWORKS, metavar="FOLDER", help="where networks go")
    parser.add_argument("--samples", type=Path, default=SAMPLES, metavar="FOLDER", help="where samples go")
    parser.add_argument("--realizations", type=int, default=16, metavar="N", help="deliveries behind each score")
    parser.add_argument("--images", type=int, metavar="N", help="test images behind each score; default: all")
    parser.add_argument("--each", type=int, default=0, metavar="N", help="test images of each class; 0 for no sample")
    return parser


if __name__ == "__main__":
    main()
