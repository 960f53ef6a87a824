"""What is known of a network of the zoo: what it is, how it was trained, how good it is."""

import difflib
import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from airdeliver.links import Link
from airdeliver.normalisation import Normalisation
from airdeliver.plain import from_plain, to_plain

NETWORKS = Path(__file__).parent / "networks"


@dataclass(frozen=True)
class Score:
    """What arrived, measured with the very weights that the zoo holds.

    Args:
        snr_db: of AWGN, in dB; None for the network itself, which nothing was done to.
        accuracy: mean over realizations and test images.
        low: lower end of the 95 % interval over channels and test images.
        high: its upper end.
        realizations: independent deliveries; 0 for the network itself.
        images: of the test split, as many of each class where these are not all.
    """

    snr_db: float | None
    accuracy: float
    low: float
    high: float
    realizations: int
    images: int


@dataclass(frozen=True)
class Card:
    """What there is to know of a network before it is used.

    Args:
        name: in the zoo.
        title: of the scheme that it was trained by.
        dataset: that it was trained on; its sample is `sample(dataset)`.
        model: of its architecture.
        parameters: learned values, pruned ones left out.
        training: how it was trained, in words.
        command: of the sweep that trained it.
        licence: of the weights, and what is known of the data's.
        link: that the scheme sends it over.
        normalisation: where the scheme's batch-norm statistics come from.
        channel_uses: budget of the scores.
        scores: measured, the network itself first.
        sha256: of the file that holds the weights.
    """

    name: str
    title: str
    dataset: str
    model: str
    parameters: int
    training: str
    command: str
    licence: str
    link: Link
    normalisation: Normalisation
    channel_uses: int
    scores: tuple[Score, ...]
    sha256: str

    def __str__(self) -> str:
        itself, *delivered = self.scores
        lines = [
            f"{self.name}: {self.title}, {self.model}, {self.parameters:,} parameters, {self.dataset}",
            f"training: {self.training}",
            f"command: {self.command}",
            f"licence: {self.licence}",
            f"accuracy itself, {itself.images:,} test images: {_percent(itself)}; delivered in "
            f"{self.channel_uses:,} channel uses over AWGN:",
            *(f"  {score.snr_db:g} dB: {_percent(score)}" for score in delivered),
        ]
        return "\n".join(lines)


def names() -> tuple[str, ...]:
    """Of all networks of the zoo, in alphabetical order.

    >>> [name for name in names() if name.startswith("digits_c")]
    ['digits_clean']
    """
    return tuple(sorted(path.stem for path in NETWORKS.glob("*.json")))


@cache
def card(name: str) -> Card:
    """The card of a network.

    Raises:
        ValueError: there is no network of this name.

    >>> card("digits_clean").parameters
    14458
    """
    return read_card(NETWORKS / f"{known(name)}.json")


def known(name: str) -> str:
    """A name that the zoo has.

    Raises:
        ValueError: it has none like that; names the nearest.
    """
    if name in names():
        return name
    near = difflib.get_close_matches(str(name), names(), 1, 0.4)
    hint = f"did you mean {near[0]}?" if near else f"there are {', '.join(names())}"
    raise ValueError(f"the zoo has no network {name!r}: {hint}")


def read_card(path: Path) -> Card:
    """A card from its file."""
    plain = json.loads(path.read_text(encoding="utf-8"))
    read = from_plain(plain)
    assert isinstance(read, Card)
    return read


def write_card(card: Card, folder: Path) -> Path:
    """A card into NAME.json of a folder."""
    path = folder / f"{card.name}.json"
    path.write_text(json.dumps(to_plain(card), indent=1) + "\n", encoding="utf-8")
    return path


def _percent(score: Score) -> str:
    return f"{100 * score.accuracy:.1f} % (95 % interval {100 * score.low:.1f} to {100 * score.high:.1f})"
