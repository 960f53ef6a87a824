"""All that the sender holds once the trainings are done."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial

import torch
from jaxtyping import Float, Int64
from torch import Generator, Tensor

from airdeliver.links import Knowledge, Link
from airdeliver.normalisation import Normalisation, average_statistics
from airdeliver.payload import Model, Payload, architecture_of, layout_of, load, payload_of, values_of, write
from channels import Channel

SENDER_ARRIVALS = 8
"""Draws of the noise over which a sender averages batch-norm statistics."""

Builder = Callable[[], Model]
"""Builds the architecture that the receiver fills: published recipe, and what side information adds to it."""


@dataclass(frozen=True)
class Choice:
    """One thing that can be sent.

    Args:
        builder: of the architecture at the receiver.
        model: the sender's network.
        payload: its values, in the layout that the normalisation asks for.
        link: that it is sent over.
    """

    builder: Builder
    model: Model
    payload: Payload
    link: Link

    @classmethod
    def of(cls, model: Model, link: Link, normalisation: Normalisation) -> "Choice":
        """A network sent whole; the receiver knows its architecture and none of its values.

        Raises:
            ValueError: weights that are not finite.
        """
        architecture = architecture_of(model)
        payload = payload_of(model, statistics=normalisation.sends_statistics)
        return cls(partial(architecture_of, architecture), model, payload, link)

    @torch.no_grad()
    def with_statistics(
        self, inputs: Float[Tensor, "n ..."], channel: Channel, snr_db: float, symbols: int, generator: Generator
    ) -> "Choice":
        """The same with the batch-norm statistics that its network has under the noise of an SNR, on average.

        Args:
            inputs: prepared inputs of the sender's own.
            channel: that the noise is drawn from.
            snr_db: mean SNR in dB.
            symbols: complex symbols that fit.
            generator: of the noise.
        """
        model = architecture_of(self.model)
        layout = self.payload.layout
        sent = replace(layout_of(model, statistics=False), description=layout.description)
        values = values_of(self.model, sent)
        plan = self.link.plan(Payload(values, sent), symbols, Knowledge("average", snr_db, channel))

        def arrivals() -> Iterator[None]:
            for _ in range(SENDER_ARRIVALS):
                load(model, sent, self.link.perturb(values, plan, channel, snr_db, generator))
                yield

        average_statistics(model, arrivals(), inputs)
        write(model, sent, values)
        payload = Payload(values_of(model, layout), layout, self.payload.sensitivity)
        return replace(self, model=model, payload=payload)


@dataclass(frozen=True)
class Package:
    """What may be sent, and how the receiver normalises.

    Args:
        choices: at least one; a sender that knows the channel may hold several.
        normalisation: where batch-norm statistics come from.
        inputs: prepared inputs of the sender's own, for the statistics of normalisation `sender`.
        design_snr_db: the SNR in dB that a sender without knowledge assumes.
    """

    choices: tuple[Choice, ...]
    normalisation: Normalisation
    inputs: Float[Tensor, "n ..."] | None = None
    design_snr_db: float = 5.0

    def with_statistics(self, channel: Channel, snr_db: float, symbols: int, generator: Generator) -> "Package":
        """The same with batch-norm statistics computed by the sender for an SNR."""
        if self.inputs is None:
            raise ValueError("normalisation 'sender' needs inputs of the sender's own: give calibration_inputs")
        choices = (c.with_statistics(self.inputs, channel, snr_db, symbols, generator) for c in self.choices)
        return replace(self, choices=tuple(choices))

    def select(self, knowledge: Knowledge, symbols: int) -> Int64[Tensor, "#realizations"]:
        """The index of the choice for each realization; one for all where the sender does not know them."""
        return torch.zeros(1, dtype=torch.int64)
