"""`python -m airdeliver.container pack|unpack|inspect`: weights in safetensors to a small file and back."""

import argparse
import sys
from pathlib import Path

from safetensors import SafetensorError
from safetensors.torch import load_file, save_file

from airdeliver.compression.quantisers import TrellisCoded
from airdeliver.container.file import inspect, pack, unpack


def main(arguments: list[str] | None = None) -> None:
    """Do what is asked; ends with one line if that cannot be.

    Args:
        arguments: of the command line.
    """
    options = _parser().parse_args(arguments)
    try:
        if options.command == "pack":
            tensors = load_file(options.source)
            quantiser = None if options.trellis is None else TrellisCoded(states=options.trellis)
            how = (options.bits, quantiser, options.packet_bytes, options.contexts)
            options.target.write_bytes(pack(tensors, *how))
            before, after = options.source.stat().st_size, options.target.stat().st_size
            _say(f"{options.target}: {after:,} bytes, {before / after:.1f} times smaller than {before:,}")
        elif options.command == "unpack":
            save_file(unpack(options.source.read_bytes()), options.target)
            _say(str(options.target))
        else:
            _show(options.source)
    except (ValueError, OSError, SafetensorError) as error:
        raise SystemExit(" ".join(str(error).split())) from error


def _show(path: Path) -> None:
    found = inspect(path.read_bytes())
    kinds = dict.fromkeys(found.reconstructions)
    _say(
        f"{path}: container version {found.version}, {found.bytes:,} bytes, {found.layout_bytes:,} of names and shapes"
    )
    _say(f"{found.values:,} values in {len(found.tensors)} tensors, {found.bits_per_value:.3f} bits a value")
    _say(f"{found.intact} of {found.packets} packets intact; bands: {', '.join(kinds)}")
    for name, shape in found.tensors:
        _say(f"  {name}: {' x '.join(str(size) for size in shape) or 'one value'}")
    for name in found.exact:
        _say(f"  {name}: as it was")


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m airdeliver.container",
        description="Quantise and entropy-code weights as the digital link does, into a file that stands alone.",
    )
    commands = parser.add_subparsers(dest="command", required=True)
    packing = commands.add_parser("pack", help="safetensors to a container file")
    packing.add_argument("source", type=Path, metavar="WEIGHTS", help="such as model.safetensors")
    packing.add_argument("target", type=Path, metavar="FILE", help="such as model.adf")
    packing.add_argument("--bits", type=float, default=2.0, help="of each value, at most, about; default 2")
    packing.add_argument("--packet-bytes", type=int, default=1024, metavar="N", help="32 to 65535; default 1024")
    packing.add_argument("--trellis", type=int, choices=(4, 8), help="states: less error at the same bits, more time")
    packing.add_argument(
        "--contexts", action="store_true", help="code levels by their neighbours: fewer bits, more time"
    )
    unpacking = commands.add_parser("unpack", help="a container file to safetensors, float32")
    unpacking.add_argument("source", type=Path, metavar="FILE")
    unpacking.add_argument("target", type=Path, metavar="WEIGHTS")
    showing = commands.add_parser("inspect", help="what a container file holds, and what of it is intact")
    showing.add_argument("source", type=Path, metavar="FILE")
    return parser


if __name__ == "__main__":
    main()
