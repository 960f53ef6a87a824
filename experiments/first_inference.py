"""`python -m experiments.first_inference`: when a network of many megabytes serves first, in layers or whole."""

import argparse
import math
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from airdeliver.cost import Carrier

MEGABYTE = 1_000_000


@dataclass(frozen=True)
class Arrival:
    """When a part of a payload is there.

    Args:
        megabytes: of the parts so far.
        symbols: complex symbols so far.
        milliseconds: on the air so far.
        whole: whether every bit of this part arrived.
    """

    megabytes: float
    symbols: int
    milliseconds: float
    whole: bool


def main(arguments: list[str] | None = None) -> None:
    """Send a synthetic payload through the full chain and print when its layers are there.

    Args:
        arguments: of the command line.
    """
    options = _parser().parse_args(arguments)
    if options.megabytes <= 0 or min(options.layers) <= 0 or abs(sum(options.layers) - 1) > 1e-6:
        raise SystemExit("megabytes must be above 0, and layers shares above 0 whose sum is 1, such as 0.25 0.75")
    from airdeliver.cost import Carrier

    try:
        carrier = Carrier(options.bandwidth_mhz, options.numerology)
    except ValueError as error:
        raise SystemExit(str(error)) from error
    started = time.perf_counter()
    grade, layered = send(options.megabytes, options.layers, options.snr_db, options.seed, carrier)
    seconds = time.perf_counter() - started
    from airdeliver.links.digital.mcs import SCHEMES

    scheme = SCHEMES[grade]
    print(
        f"{options.megabytes:g} MByte over AWGN of {options.snr_db:g} dB, {carrier}: "
        f"{2**scheme.bits_per_symbol}-QAM of rate {scheme.rate:.3f}"
    )
    for number, arrival in enumerate(layered, 1):
        told = "arrived" if arrival.whole else "LOST"
        print(f"layer {number}: {arrival.megabytes:8.2f} MByte after {arrival.milliseconds:8.1f} ms, {told}")
    first, last = layered[0].milliseconds, layered[-1].milliseconds
    print(f"first inference: {first:.1f} ms in layers, {last:.1f} ms whole, {last / first:.1f} times as late")
    print(f"simulated bit by bit in {seconds:.0f} s, with at most {_peak_megabytes():.0f} MByte of memory")


def send(
    megabytes: float, layers: Sequence[float], snr_db: float, seed: int, carrier: "Carrier"
) -> tuple[int, list[Arrival]]:
    """Send random bytes as transport blocks, one a layer, each some code blocks at a time.

    The modulation and coding scheme is the fastest of which all of the payload arrives with 99.9 %, as the sender that
    knows the SNR expects.

    Args:
        megabytes: of the payload, 10^6 bytes each.
        layers: share of each, the first first.
        snr_db: in dB.
        seed: of bytes and noise.
        carrier: that it is sent on.

    Returns:
        The grade, and when each layer is there.
    """
    import torch

    from airdeliver.compression.codec import Container
    from airdeliver.links.base import Knowledge
    from airdeliver.links.digital import FixedErrorRate, Full, Worth
    from airdeliver.links.digital.outlook import outlooks
    from airdeliver.randomness import stream
    from channels import AWGN

    physical, channel = Full(protection=1.0), AWGN()
    size = round(megabytes * MEGABYTE)
    lengths = [round(share * size) for share in layers[:-1]]
    lengths.append(size - sum(lengths))
    outlook = outlooks(Knowledge("average", snr_db, channel), snr_db, size, physical.alphabets)[0]
    grade = FixedErrorRate(0.001, snr_db, None).best(physical, outlook, size, size, Worth())
    content = stream(seed, "initialisation")
    data = torch.randint(0, 256, (size,), dtype=torch.uint8, generator=content).numpy().tobytes()
    noise, state = stream(seed, "noise"), channel.realize(1, 1, snr_db, stream(seed, "fading"))
    found, symbols, first = [], 0, 0
    for length in lengths:
        part = data[first : first + length]
        (row,) = physical.carry(Container(part, (length,)), grade, channel, state, noise).rows
        symbols, first = symbols + physical.symbols((length,), grade), first + length
        found.append(Arrival(first / MEGABYTE, symbols, carrier.milliseconds(symbols), row == part))
    return grade, found


def _peak_megabytes() -> float:
    """The most memory that this process has had, in 10^6 bytes; not a number where the system does not tell."""
    try:
        import resource
    except ModuleNotFoundError:
        return math.nan
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / MEGABYTE


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m experiments.first_inference",
        description="Send random bytes through the full digital chain, in layers, and say when each is there.",
        epilog="138 MByte within 1 s is a requirement of 3GPP TS 22.261, table 7.10.1-2.",
    )
    parser.add_argument("--megabytes", type=float, default=138.0, metavar="N", help="default: 138")
    parser.add_argument(
        "--layers", type=float, nargs="+", default=[0.0625, 0.1875, 0.25, 0.5], metavar="SHARE",
        help="of the payload, the first layer first, default: 0.0625 0.1875 0.25 0.5",
    )  # fmt: skip
    parser.add_argument("--snr-db", type=float, default=20.0, metavar="DB", help="default: 20")
    parser.add_argument("--bandwidth-mhz", type=float, default=400, metavar="MHZ", help="default: 400")
    parser.add_argument("--numerology", type=int, default=3, metavar="N", help="0 to 3, default: 3")
    parser.add_argument("--seed", type=int, default=0, metavar="N", help="default: 0")
    return parser


if __name__ == "__main__":
    main()
