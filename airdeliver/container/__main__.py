"""`python -m airdeliver.container pack|unpack|inspect`: weights in safetensors to a small file and back."""

import argparse
import math
import sys
from collections.abc import Iterable
from pathlib import Path

from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor

from airdeliver.compression.quantisers import TrellisCoded
from airdeliver.container.errors import LOST, relative_errors
from airdeliver.container.file import Inspection, inspect, pack, unpack

SHOWN = 10
"""Tensors that a line names, at most."""


def main(arguments: list[str] | None = None) -> None:
    """Do what is asked; ends with one line if that cannot be.

    Args:
        arguments: of the command line.
    """
    options = _parser().parse_args(arguments)
    try:
        if options.command == "pack":
            _pack(options)
        elif options.command == "unpack":
            _unpack(options)
        else:
            _show(options.source)
    except OSError as error:
        raise SystemExit(f"{error.filename}: {error.strerror}" if error.filename else str(error)) from error
    except (ValueError, SafetensorError) as error:
        raise SystemExit(" ".join(str(error).split())) from error


def _weights(path: Path) -> dict[str, Tensor]:
    """The tensors of a file of safetensors."""
    try:
        return load_file(path)
    except SafetensorError as error:
        said = " ".join(str(error).split())
        raise ValueError(
            f"{path} is no safetensors file ({said}): safetensors.torch.save_file(model.state_dict(), ...) writes one"
        ) from error


def _check_files(source: Path, target: Path) -> None:
    """Before anything is computed: there is something to read, and a place to write to that is not the same.

    Raises:
        ValueError: one line.
    """
    if not source.is_file():
        raise ValueError(f"{source} is no file")
    if target.is_dir() or not target.parent.is_dir():
        raise ValueError(f"{target} must be a file in a folder that exists")
    if target.exists() and target.samefile(source):
        raise ValueError(f"{target} is read and would be overwritten: give the result another name")


def _pack(options: argparse.Namespace) -> None:
    _check_files(options.source, options.target)
    tensors = _weights(options.source)
    quantiser = None if options.trellis is None else TrellisCoded(states=options.trellis)
    data = pack(tensors, options.bits, quantiser, options.packet_bytes, options.contexts)
    options.target.write_bytes(data)
    before, found, errors = options.source.stat().st_size, inspect(data), relative_errors(tensors, data)
    _say(
        f"{options.target}: {len(data):,} bytes, {before / len(data):.1f} times smaller than {before:,}; "
        f"{found.bits_per_value:.2f} bits a value, {8 * len(data) / max(1, found.values):.2f} with names and shapes"
    )
    _say(f"relative squared error: {_named(f'{name} {error:.2g}' for name, error in errors.items())}")
    lost = [name for name, error in errors.items() if error >= LOST]
    if lost:
        _warn(
            f"lost (relative squared error of {LOST} or more): {_named(lost)}; {options.bits:g} bits a value are too "
            "few for them, give more with --bits"
        )


def _unpack(options: argparse.Namespace) -> None:
    _check_files(options.source, options.target)
    data = options.source.read_bytes()
    damage = _damage(inspect(data))
    if damage and not options.damaged:
        raise SystemExit(f"{options.source}: {damage}. Nothing is written; --damaged writes what there is")
    save_file(unpack(data), options.target)
    _say(str(options.target))
    if damage:
        _warn(f"{damage}; in their place stands the mean of the layer, or 0")


def _damage(found: Inspection) -> str:
    """What a file has lost, in one line; nothing if that is nothing."""
    count = found.packets - found.intact
    if not count and not found.missing:
        return ""
    sizes = {name: math.prod(shape) for name, shape in found.tensors}
    gone = [name for name, lost in found.missing if lost == sizes[name]]
    partly = [f"{name} ({lost:,} of {sizes[name]:,} values)" for name, lost in found.missing if lost < sizes[name]]
    parts = [f"wholly missing: {_named(gone)}"] * bool(gone) + [f"partly: {_named(partly)}"] * bool(partly)
    return "; ".join([f"{count} of {found.packets} packets {'is' if count == 1 else 'are'} lost", *parts])


def _named(names: Iterable[str]) -> str:
    """Names with commas between them, the first ones if there are many."""
    names = list(names)
    more = len(names) - SHOWN
    return ", ".join(names[:SHOWN]) + (f" and {more} more" if more > 0 else "")


def _show(path: Path) -> None:
    found = inspect(path.read_bytes())
    kinds = dict.fromkeys(found.reconstructions)
    _say(
        f"{path}: container version {found.version}, {found.bytes:,} bytes, {found.layout_bytes:,} of names and shapes"
    )
    _say(f"{found.values:,} values in {len(found.tensors)} tensors, {found.bits_per_value:.3f} bits a value")
    _say(f"{found.intact} of {found.packets} packets intact; bands: {', '.join(kinds)}")
    lost = dict(found.missing)
    for name, shape in found.tensors:
        gone = f", {lost[name]:,} of {math.prod(shape):,} values missing" if name in lost else ""
        _say(f"  {name}: {' x '.join(str(size) for size in shape) or 'one value'}{gone}")
    for name in found.exact:
        _say(f"  {name}: as it was")


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")


def _warn(line: str) -> None:
    sys.stderr.write(f"warning: {line}\n")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m airdeliver.container",
        description="Quantise and entropy-code weights as the digital link does, into a file that stands alone.",
    )
    commands = parser.add_subparsers(dest="command", required=True)
    packing = commands.add_parser("pack", help="safetensors to a container file")
    packing.add_argument("source", type=Path, metavar="WEIGHTS", help="such as model.safetensors")
    packing.add_argument("target", type=Path, metavar="FILE", help="such as model.adf")
    packing.add_argument("--bits", type=float, default=2.0, help="on average of all values, at most, about; default 2")
    packing.add_argument("--packet-bytes", type=int, default=1024, metavar="N", help="32 to 65535; default 1024")
    packing.add_argument("--trellis", type=int, choices=(4, 8), help="states: less error at the same bits, more time")
    packing.add_argument(
        "--contexts", action="store_true", help="code levels by their neighbours: fewer bits, more time"
    )
    unpacking = commands.add_parser("unpack", help="a container file to safetensors, float32")
    unpacking.add_argument("source", type=Path, metavar="FILE")
    unpacking.add_argument("target", type=Path, metavar="WEIGHTS")
    unpacking.add_argument(
        "--damaged", action="store_true", help="write what is left of a damaged file too, with a warning of what is not"
    )
    showing = commands.add_parser("inspect", help="what a container file holds, and what of it is intact")
    showing.add_argument("source", type=Path, metavar="FILE")
    return parser


if __name__ == "__main__":
    main()
