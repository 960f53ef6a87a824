"""`python -m experiments.cost`: what a network costs, layer by layer, or what the schemes of a finished sweep cost."""

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.table import Table

if TYPE_CHECKING:
    from airdeliver.cost import NetworkCost

UNITS = (("J", 1.0), ("mJ", 1e-3), ("µJ", 1e-6), ("nJ", 1e-9))


def main(arguments: list[str] | None = None) -> None:
    """Print costs; ends with one line if that cannot be.

    Args:
        arguments: of the command line.
    """
    options = _parser().parse_args(arguments)
    try:
        if len(options.what) == 1 and "=" not in options.what[0]:
            of_results(Path(options.what[0]))
        else:
            of_model(options.what, options.weight_bits)
    except (ValueError, OSError) as error:
        raise SystemExit(" ".join(str(error).split())) from error


def of_model(arguments: list[str], weight_bits: int = 32) -> None:
    """Print what the unpruned network of a sweep costs.

    Args:
        arguments: of the sweep: `model=vgg`, `model.width=2.0`, `dataset=cifar10`, say.
        weight_bits: of every weight.
    """
    from airdeliver.cost import latency, network_cost
    from airdeliver.data import load_dataset
    from airdeliver.task import task_of
    from experiments.command_line import read
    from experiments.configuration import configure

    sweep = configure(read(arguments))
    task = task_of(load_dataset(sweep.dataset, sweep.dataset_path))
    model, example = task.build(sweep.model), task.signature.example()
    bits = {name: weight_bits for name, p in model.named_parameters() if p.ndim > 1}
    cost = network_cost(model, example, bits)
    table = Table("layer", "weights", "MACs", "bits", title=str(sweep.model))
    for layer in cost.layers:
        width = f"{layer.weight_bits} x {layer.activation_bits}"
        table.add_row(layer.name or "(network)", f"{layer.weights:,}", f"{layer.macs:,}", width)
    console = Console(width=None if sys.stdout.isatty() else 120)
    console.print(table)
    for line in summary(cost, latency(model, example)):
        console.print(line, highlight=False)


def summary(cost: "NetworkCost", seconds: float) -> list[str]:
    """What there is to say of a network, a line each.

    Args:
        cost: of the network.
        seconds: of an inference, measured.
    """
    return [
        f"{cost.parameters:,} parameters, {cost.nonzeros:,} of them not 0",
        f"{cost.macs:,} multiply-accumulates, {cost.effective_macs:,.0f} with a weight that is not 0",
        f"{cost.bit_operations:.4g} bit operations",
        f"{cost.activation_bytes:,} bytes of activations at most",
        f"{joules(cost.joules())} an inference (45 nm), {joules(cost.joules(skip_zeros=True))} where zeros are skipped",
        f"{1000 * seconds:.3g} ms measured here for one input",
    ]


def of_results(path: Path) -> None:
    """Print the mean costs of each scheme of a table of results.

    Args:
        path: of `results.parquet`, or of the folder of the run.

    Raises:
        ValueError: a table without costs.
    """
    import pandas as pd

    path = path / "results.parquet" if path.is_dir() else path
    if not path.is_file():
        raise ValueError(f"there is no {path}: give a run's results.parquet, or a model: model=vgg dataset=digits")
    results: Any = pd.read_parquet(path)
    if "macs" not in results:
        raise ValueError(f"{path} has no columns of costs: run its sweep again")
    shown = Table("scheme", "channel uses", "ms", "container", "non-zeros", "MACs", "bit operations", "inference",
                  "transmission", "accuracy")  # fmt: skip
    for scheme, rows in results.groupby("scheme", sort=False):
        mean = rows.mean(numeric_only=True)
        bits = mean["container_bits"]
        container = f"{bits / 1000:.1f} kbit" if bits == bits else ""
        shown.add_row(
            str(scheme), f"{mean['channel_uses_spent']:,.0f}", f"{mean['milliseconds']:.3g}", container,
            f"{mean['nonzeros']:,.0f}", f"{mean['macs'] / 1e6:.3g} M", f"{mean['bit_operations']:.3g}",
            joules(mean["inference_joules"]), joules(mean["transmit_joules"]), f"{100 * mean['accuracy']:.1f} %",
        )  # fmt: skip
    console = Console(width=None if sys.stdout.isatty() else 140)
    console.print(shown)
    console.print("Means over all cells of a scheme; transmission at 1 W, inference on a chip of 45 nm.")


def joules(value: float) -> str:
    """An energy, for people.

    >>> joules(0.0001072), joules(2.5)
    ('107 µJ', '2.5 J')
    """
    unit, size = next(((u, s) for u, s in UNITS if value >= s), UNITS[-1])
    return f"{value / size:.3g} {unit}"


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m experiments.cost",
        description="Print what a network costs to hold, to run and to send.",
        epilog="What each number means: docs/cost.md.",
    )
    parser.add_argument(
        "what", nargs="+", metavar="RUN_FOLDER | key=value", help="a finished sweep, or a sweep's own arguments"
    )
    parser.add_argument("--weight-bits", type=int, default=32, metavar="BITS", help="of every weight, default: 32")
    return parser


if __name__ == "__main__":
    main()
