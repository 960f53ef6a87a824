"""What is looked at once a shape is looked at as closely as at every call."""

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import pytest
import torch
from beartype import beartype
from beartype.roar import BeartypeCallHintViolation
from jaxtyping import Float, Int, TypeCheckError
from torch import Tensor

from tests import shapes

checked = partial(shapes._checked, typechecker=beartype)
WRONG = (TypeCheckError, BeartypeCallHintViolation)


def rows(
    x: Float[Tensor, "a b"],
    y: Float[Tensor, "b"] | None = None,
    *,
    times: int = 1,
    which: Int[Tensor, "a"] | None = None,
) -> Float[Tensor, "a"]:
    return x[:, 0] if times == 1 else x[0]


def joined(
    parts: list[Float[Tensor, "b"]], last: tuple[int, Float[Tensor, "b"]], *, to: Callable[[Any], Any] = list
) -> list[Float[Tensor, "_"]]:
    return to([*parts, last[1]])


class Counted:
    def __init__(self, by: Float[np.ndarray, "n"]) -> None:
        self.by = by

    def sum(self, x: Float[np.ndarray, "n"]) -> float:
        return x.sum() if len(x) else 0


ONE, THREE, FOUR = torch.zeros(3, 4), torch.zeros(3), torch.zeros(4)
INTEGERS = torch.zeros(3, dtype=torch.int64)


@pytest.mark.parametrize(
    "bad",
    [
        lambda call: call(ONE, THREE), lambda call: call(ONE, y=THREE), lambda call: call(ONE.long()),
        lambda call: call(ONE, which=INTEGERS.float()), lambda call: call(ONE, FOUR, which=FOUR.long()),
        lambda call: call(ONE, times="1"), lambda call: call(ONE.numpy()), lambda call: call(ONE, times=2),
        lambda call: call(ONE[0]),
    ],
)  # fmt: skip
def test_what_is_wrong_is_seen_before_and_after_what_is_right(bad: Callable[[Any], Any]):
    call = checked(rows)
    for _ in range(3):
        with pytest.raises(WRONG):
            bad(call)
        assert call(ONE).shape == call(ONE, FOUR).shape == call(ONE, which=INTEGERS, y=FOUR).shape == (3,)
    assert call(torch.zeros(2, 2), times=2).shape == (2,)
    with pytest.raises(TypeError):
        call()


def test_lists_of_unlike_items_are_looked_at_again_and_again():
    call = checked(joined)
    for _ in range(2):
        assert len(call([THREE, THREE], (1, THREE))) == 3
        assert len(call([], (1, FOUR))) == 1
        for wrong in ([FOUR], [THREE.long()], [None]):
            with pytest.raises(WRONG):
                call(wrong, (1, THREE))
        with pytest.raises(WRONG):
            call([THREE], (1.0, THREE))
        with pytest.raises(WRONG):
            call([THREE], (1, THREE), to=tuple)
        with pytest.raises(WRONG):  # one item is looked at, drawn at random
            _ = [call([THREE, FOUR], (1, THREE)) for _ in range(64)]


def test_methods_and_answers_without_a_shape():
    made = Counted(np.zeros(3))
    call = checked(Counted.sum)
    for _ in range(2):
        assert call(made, np.ones(3)) == 3
        assert call(made, x=np.ones(2)) == 2
        with pytest.raises(WRONG):
            call(made, np.ones(0))
        with pytest.raises(WRONG):
            call(made, np.ones(3, dtype=int))


def test_a_call_works_once():
    found = []

    def noted(x: Float[Tensor, "n"]) -> Float[Tensor, "_"]:
        found.append(len(x))
        return x[: len(found)]

    call = checked(noted)
    for _ in range(3):
        call(FOUR)
    assert found == [4, 4, 4]


def test_defaults_keep_their_names():
    assert checked(rows).__name__ == "rows"
    assert checked(rows).__doc__ == rows.__doc__
