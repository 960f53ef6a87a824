"""Layout and payload: views, offsets, JSON, and what a payload refuses."""

import json

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from airdeliver.payload import Layout, Payload, Segment

shapes = st.lists(st.lists(st.integers(0, 4), max_size=3).map(tuple), max_size=6)


def layout_with(shapes):
    return Layout(tuple(Segment(f"s{i}", shape) for i, shape in enumerate(shapes)))


@settings(deadline=None, derandomize=True, max_examples=50)
@given(shapes)
def test_split_concatenates_back(shapes):
    layout = layout_with(shapes)
    values = torch.arange(2 * layout.size, dtype=torch.float32).view(2, layout.size)
    parts = layout.split(values)
    assert [part.shape[-1] for part in parts] == list(layout.sizes)
    assert torch.equal(torch.cat([torch.zeros(2, 0), *parts], dim=-1), values)
    for part, offset, size in zip(parts, layout.offsets, layout.sizes, strict=True):
        assert torch.equal(part, values[:, offset : offset + size])


@settings(deadline=None, derandomize=True, max_examples=50)
@given(shapes)
def test_json_round_trip(shapes):
    layout = layout_with(shapes)
    assert Layout.from_dict(json.loads(json.dumps(layout.to_dict()))) == layout


def test_split_gives_views():
    values = torch.zeros(3)
    layout_with([(2,), ()]).split(values)[0].fill_(1.0)
    assert values.tolist() == [1.0, 1.0, 0.0]


def test_equal_layouts_are_one():
    assert len({layout_with([(2, 3)]), layout_with([(2, 3)]), layout_with([(3, 2)])}) == 2


@pytest.mark.parametrize("bad", [float("nan"), float("inf"), -float("inf")])
def test_payload_names_the_segment_that_is_not_finite(bad):
    layout = layout_with([(2,), (3,)])
    with pytest.raises(ValueError, match=r"^weights of s1 are not finite \(1 of 3 ") as error:
        Payload(torch.tensor([0.0, 0.0, 0.0, bad, 0.0]), layout)
    assert "\n" not in str(error.value)


def test_large_finite_values_are_not_refused():
    """Their sum overflows, they do not."""
    Payload(torch.full((4,), 3e38), layout_with([(4,)]))


def test_payload_refuses_another_size():
    with pytest.raises(ValueError, match="must be 5 long"):
        Payload(torch.zeros(4), layout_with([(5,)]))
    with pytest.raises(ValueError, match="one value for each of 1 segments, got 2"):
        Payload(torch.zeros(5), layout_with([(5,)]), torch.zeros(2))
    with pytest.raises(ValueError, match="must be 5 long"):
        layout_with([(5,)]).split(torch.zeros(6))


def test_layout_refuses_two_segments_of_one_name():
    with pytest.raises(ValueError, match="got a twice"):
        Layout((Segment("a", (1,)), Segment("a", (2,))))


def test_segment_refuses_an_unknown_transform():
    with pytest.raises(ValueError, match="identity or log, got exp"):
        _unchecked("exp")


def _unchecked(transform):
    """A segment whose argument types the tests' type checker does not see."""
    segment = object.__new__(Segment)
    for name, value in (("name", "a"), ("shape", (1,)), ("transform", transform)):
        object.__setattr__(segment, name, value)
    segment.__post_init__()
