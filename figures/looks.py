"""Which colour, marker and dash a line has: one look for a scheme in every figure, however many are beside it."""

from collections.abc import Iterable
from typing import Any

import matplotlib

Look = dict[str, Any]
"""Colour, marker and dash."""

BLUE, VERMILION, GREEN, PURPLE, WINE, ORANGE, SKY, OLIVE = (
    "#0072B2", "#D55E00", "#009E73", "#CC79A7", "#882255", "#E69F00", "#56B4E9", "#8A8200",
)  # fmt: skip


def _look(color: str, marker: str, linestyle: Any, hollow: bool = False) -> Look:
    look = {"color": color, "marker": marker, "linestyle": linestyle}
    return {**look, "markerfacecolor": "white"} if hollow else look


# What belongs together has one colour: analog schemes by how they are trained, digital ones by how they are.
KNOWN: dict[str, Look] = {
    "Clean training": _look(BLUE, "o", "-"),
    "Clean, frozen statistics": _look(BLUE, "o", ":", hollow=True),
    "Clean training, pruned": _look(BLUE, "p", "-."),
    "Noise injection": _look(GREEN, "^", "-"),
    "Noise, frozen statistics": _look(GREEN, "^", ":", hollow=True),
    "AirNet": _look(WINE, "v", "-"),
    "AirNet without expansion": _look(WINE, "v", "--", hollow=True),
    "AirNet spectrum": _look(ORANGE, "P", "-"),
    "Separate networks": _look(PURPLE, "D", "-."),
    "One network for 5 dB": _look(OLIVE, "h", "--"),
    "Digital": _look(VERMILION, "s", "--"),
    "Digital, fixed rate": _look(VERMILION, "s", ":", hollow=True),
    "Digital: rate at capacity, these networks": _look(VERMILION, "", (0, (1, 1))),
    "Digital QAT": _look(SKY, "X", "--"),
    "Digital QAT, fixed rate": _look(SKY, "X", ":", hollow=True),
    "Digital QAT, one size": _look(SKY, "<", ":", hollow=True),
    "Digital QAT, several sizes": _look(SKY, "X", "-"),
    "Rate at capacity, several sizes": _look(SKY, "", (0, (4, 1, 1, 1))),
    "Digital QAT: rate at capacity, these networks": _look(SKY, "", (0, (1, 1))),
}
"""By title."""


def looks(names: Iterable[object]) -> dict[object, Look]:
    """A colour, marker and dash for each name: its own, if it has one, else the next of the style's cycle.

    A second round has open markers, a third other dashes.

    Args:
        names: titles of schemes, or whatever else has a line each.

    >>> looks(["AirNet", "Mine"])["AirNet"]["marker"], looks(["AirNet"])["AirNet"]["marker"]
    ('v', 'v')
    """
    names = list(dict.fromkeys(names))
    taken = [KNOWN[str(name)] for name in names if str(name) in KNOWN]
    free = _cycle([look["color"] for look in taken if "markerfacecolor" not in look])
    return {name: KNOWN[str(name)] if str(name) in KNOWN else next(free) for name in names}


def _cycle(taken: list[str]) -> Any:
    """Looks that are not taken yet, without end."""
    cycle = [dict(look) for look in matplotlib.rcParams["axes.prop_cycle"]]
    first = [look for look in cycle if look.get("color") not in taken]
    yield from first
    round_number = 0
    while True:
        round_number += 1
        for look in cycle:
            dash = look.get("linestyle", "-") if round_number < 2 else (0, (5, 1, 1, 1, 1, round_number))
            yield {**look, "linestyle": dash, "markerfacecolor": "white"}
