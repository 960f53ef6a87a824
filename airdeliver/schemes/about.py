"""What a scheme is, for people: what tables and figures say of it, so that neither reads it from a name."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, get_args

from airdeliver.links import DigitalLink, Link
from airdeliver.links.digital import Ideal
from channels import Channel

Side = Literal["analog", "digital", "mixed", "split"]
"""How the network travels: values as channel inputs, bits, both, or not as a whole (its layers are shared out)."""

AS_IT_IS, FOR_THE_LINK = "as it is", "trained for the link"
"""The usual preparations."""

NO_SNR = (float("nan"), float("nan"))


@dataclass(frozen=True)
class About:
    """What is said of a scheme; no part of what identifies its results.

    Args:
        title: for people, as it stands in legends: `AirNet without distillation`.
        side: how the network travels.
        preparation: of the network, in words that fit behind "network": `as it is`, `trained for the link`.
            Comparisons of like with like go by it.
        train_snr_db: SNR in dB that its networks are trained at through a link, or the lowest and highest; None if
            they are trained without one.
        train_channel: channel of that training; None if there is none.
        member: which member of an elastic set is sent alone, by its index from 0, the smallest; None for a network
            that is no such part.
        family: what schemes have in common that one line of a figure joins, the members of an elastic network delivered
            one by one; empty for a scheme that stands for itself.
        tasks: how many tasks the receiver has afterwards.
        limit: whether it is a bound that nobody can build, a channel code at the Shannon limit: figures show it as a
            mark, it competes with nobody.

    Raises:
        ValueError: no title, or a side that there is not.
    """

    title: str
    side: Side = "analog"
    preparation: str = AS_IT_IS
    train_snr_db: float | Sequence[float] | None = None
    train_channel: Channel | None = None
    member: int | None = None
    limit: bool = False
    family: str = ""
    tasks: int = 1

    def __post_init__(self) -> None:
        if not self.title:
            raise ValueError("a scheme needs a title for people, got an empty one")
        if self.side not in get_args(Side):
            raise ValueError(f"side must be one of {', '.join(get_args(Side))}, got {self.side!r}")

    @property
    def train_range_db(self) -> tuple[float, float]:
        """Lowest and highest SNR in dB of the training; twice not a number without a training through a link.

        >>> About("AirNet", train_snr_db=5.0).train_range_db
        (5.0, 5.0)
        """
        snr_db = self.train_snr_db
        if snr_db is None:
            return NO_SNR
        return (float(snr_db), float(snr_db)) if isinstance(snr_db, int | float) else (min(snr_db), max(snr_db))


def described(recipe: object) -> About:
    """What the class and the fields of a scheme tell, unless it says more itself.

    The title is the name of its class in words; side and limit are those of its field `link`, and the side is `mixed`
    where other fields are links of another side; a field `train_snr_db`
    is taken for the SNR of a training through that link, over the channel of a field `train_channel`.

    Args:
        recipe: a scheme.

    >>> class SignsAndOneScale:
    ...     link = DigitalLink(phy="capacity")
    >>> about = described(SignsAndOneScale())
    >>> about.title, about.side, about.limit, about.preparation
    ('Signs and one scale', 'digital', True, 'as it is')
    """
    link = getattr(recipe, "link", None)
    snr_db = getattr(recipe, "train_snr_db", None)
    held = {**getattr(recipe, "__dict__", {}), "link": link}
    sides = {side_of(field) for field in held.values() if isinstance(field, Link)}
    return About(
        title=words(type(recipe).__name__),
        side="mixed" if len(sides) > 1 else side_of(link),
        preparation=AS_IT_IS if snr_db is None else FOR_THE_LINK,
        train_snr_db=snr_db,
        train_channel=None if snr_db is None else getattr(recipe, "train_channel", None),
        limit=is_limit(link),
    )


def side_of(link: Link | None) -> Side:
    """Digital for a digital link, analog for all others."""
    return "digital" if isinstance(link, DigitalLink) else "analog"


def is_limit(link: Link | None) -> bool:
    """Whether the link's channel code is ideal."""
    return isinstance(link, DigitalLink) and (link.phy == "capacity" or isinstance(link.phy, Ideal))


def words(name: str) -> str:
    """The name of a class as words.

    >>> words("SignsAndOneScale"), words("LSQDelivery"), words("sparse_network")
    ('Signs and one scale', 'LSQ delivery', 'Sparse network')
    """
    parts = re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z0-9]+|[A-Z]", name) or [name]
    first, *rest = (part if len(part) > 1 and part.isupper() else part.lower() for part in parts)
    return " ".join([first[0].upper() + first[1:], *rest])
