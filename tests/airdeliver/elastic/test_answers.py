"""A builder or sampler of one's own: members go from the smallest to the largest, or one line says that they do not."""

from dataclasses import dataclass
from typing import Any

import pytest
from torch import nn

from airdeliver.asked import PieceError
from airdeliver.elastic import Elastic, ElasticBuilder, Member, Sampler, SlimmableBuilder
from airdeliver.recipe import Recipe
from airdeliver.schemes import ElasticNetwork, Layered
from channels import AWGN, Multicast

WIDTHS = (0.25, 0.5, 1.0)


class Apart(Elastic):
    """Members that share nothing."""

    def __init__(self, members, delivered):
        super().__init__(members)
        self.models, self.sent = nn.ModuleList([member.model for member in members]), delivered

    @property
    def delivered(self):
        return self.sent

    def parameters_of(self, index):
        return dict(self.members[index].model.named_parameters())


@dataclass(frozen=True)
class Own(ElasticBuilder):
    """Members of widths in some order.

    Args:
        order: indices of the widths.
        delivered: indices of the members that are sent.
        changed: from the elastic network to what is made in its place.
    """

    order: tuple[int, ...] = (0, 1, 2)
    delivered: Any = (0, 1, 2)
    changed: Any = None

    @property
    def members(self):
        return 3

    def shapes(self, architecture):
        shapes = SlimmableBuilder(WIDTHS).shapes(architecture)
        return [shapes[index] for index in self.order]

    def build(self, model, conditions, architecture, task, seed, statistics):
        return self.empty(self.shapes(architecture), conditions, architecture)

    def empty(self, shapes, conditions, architecture):
        made = [Member(architecture.of_counts(s), c, architecture, s) for s, c in zip(shapes, conditions)]
        elastic = Apart(made, self.delivered)
        return elastic if self.changed is None else self.changed(elastic)


def prepared(problem, builder, epochs=0, **given):
    """A package of the largest member."""
    recipe = Recipe(epochs=epochs, batch_size=512)
    return ElasticNetwork(builder=builder, training=recipe, **given).prepare(problem, 20_000)


def test_the_largest_is_sent_whatever_order_members_are_given_in(problem):
    """An order that is not rising is one line: the largest had been the last, whatever it was, in silence."""
    largest = prepared(problem, Own()).choices[0].payload.layout.size
    for order in ((2, 1, 0), (1, 0, 2), (0, 2, 1)):
        with pytest.raises(PieceError, match=r"^Own has members out of order: member \d of .* lies within") as told:
            prepared(problem, Own(order))
        assert "\n" not in str(told.value)
    for order in ((0, 1, 2), (0, 2, 2), (0, 0, 2)):  # doubled, a member is trained twice and sent as it is
        assert prepared(problem, Own(order)).choices[0].payload.layout.size == largest


@pytest.mark.parametrize("delivered", [(2, 1, 0), (0, 1), (0, 1, 1), (0, 1, 3), (-1, 0, 1), ()])
def test_what_is_delivered_are_rising_indices(problem, delivered):
    with pytest.raises(PieceError, match=r"Own must deliver 3 of 3 members, .* by rising indices, got \["):
        prepared(problem, Own(delivered=delivered))


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        (lambda elastic: None, "Own must make an Elastic, got NoneType"),
        (lambda elastic: elastic.largest, "Own must make an Elastic, got "),
        (lambda elastic: 1 / 0, r"build of Own fails \(ZeroDivisionError"),
    ],
)
def test_what_is_no_elastic_network_is_one_line(problem, changed, words):
    with pytest.raises(PieceError, match=words):
        prepared(problem, Own(changed=changed))


@dataclass(frozen=True)
class Drawing(Sampler):
    """Draws whatever it is told to."""

    found: Any = None

    def draw(self, members, generator):
        return self.found


@pytest.mark.parametrize("found", [None, (), (2, 0), (0, 0), (0, 3), (-1,), ("a",), 1])
def test_a_step_trains_members_that_there_are_the_widest_last(problem, found):
    with pytest.raises(PieceError, match=r"^draw of Drawing must give rising indices from 0 to 2, at least one, got"):
        prepared(problem, Own(), 1, sampler=Drawing(found))


def test_layers_of_doubled_members_are_one_line(problem):
    @dataclass(frozen=True)
    class Doubled(SlimmableBuilder):
        order: tuple[int, ...] = (0, 1, 2)

        def shapes(self, architecture):
            shapes = super().shapes(architecture)
            return [shapes[index] for index in self.order]

    for order in ((0, 0, 2), (1, 1, 2)):
        network = ElasticNetwork(builder=Doubled(WIDTHS, order=order), training=Recipe(epochs=0))
        with pytest.raises(ValueError, match=r"member \d needs nothing that no smaller one has: in layers") as told:
            Layered(network=network, ratios=(1.0,), audience=Multicast(AWGN(), receivers=2)).prepare(problem, 20_000)
        assert "\n" not in str(told.value)
