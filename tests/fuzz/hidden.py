"""Where something learned hides from a payload: lists, closures, hooks, classes, global variables."""

import array
import collections
import functools
import types
import weakref
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from tests.fuzz.twists import Wrapped


class Holder:
    """An object of the user's that holds something."""

    def __init__(self, held: Any) -> None:
        self.held = held

    def __call__(self) -> Any:
        return self.held

    def method(self) -> Any:
        return self.held


class Slotted:
    __slots__ = ("held",)

    def __init__(self, held: Any) -> None:
        self.held = held


class Secretive(nn.Module):
    """A network that multiplies by what it holds somewhere."""

    def __init__(self, body: nn.Module, get: Callable[["Secretive"], Any]) -> None:
        super().__init__()
        self.body = body
        self.get = get

    def forward(self, *inputs: Any) -> Tensor:
        return self.body(*inputs) * self.get(self)


def _holding(hold: Callable[[Any], Any], get: Callable[[Any], Any]) -> Callable[[nn.Module, Tensor], nn.Module]:
    """A way to hold a learned tensor in an attribute, and to have it back."""

    def make(body: nn.Module, secret: Tensor) -> nn.Module:
        model = Secretive(body, lambda self: get(self.held))
        model.__dict__["held"] = hold(secret)
        return model

    return make


def _closed(body: nn.Module, secret: Tensor) -> nn.Module:
    return Secretive(body, lambda self: secret)


def _closed_deeply(body: nn.Module, secret: Tensor) -> nn.Module:
    def outer() -> Callable[[], Tensor]:
        def inner() -> Tensor:
            return secret

        return inner

    return Secretive(body, lambda self: outer()())


def _default(body: nn.Module, secret: Tensor) -> nn.Module:
    return Secretive(body, lambda self, kept=secret: kept)


def _keyword(body: nn.Module, secret: Tensor) -> nn.Module:
    return Secretive(body, functools.partial(lambda self, kept: kept, kept=secret))


def _hooked(body: nn.Module, secret: Tensor) -> nn.Module:
    body.register_forward_hook(lambda module, inputs, outputs: outputs * secret)
    return body


def _hooked_module(body: nn.Module, secret: Tensor) -> nn.Module:
    scale = nn.Linear(3, 3)
    body.register_forward_hook(lambda module, inputs, outputs: scale(outputs))
    return body


def _hooked_object(body: nn.Module, secret: Tensor) -> nn.Module:
    holder = Holder(secret)
    holder.hook = lambda module, inputs, outputs: outputs * holder.held  # type: ignore[attr-defined]
    body.register_forward_hook(holder.hook)  # type: ignore[attr-defined]
    return body


def _of_class(body: nn.Module, secret: Tensor) -> nn.Module:
    kind = type("Own", (Wrapped,), {"table": secret, "forward": lambda self, *x: self.body(*x) * self.table})
    return kind(body)


def _of_base(body: nn.Module, secret: Tensor) -> nn.Module:
    base = type("Base", (Wrapped,), {"tables": [secret]})
    return type("Own", (base,), {"forward": lambda self, *x: self.body(*x) * self.tables[0]})(body)


def _property(body: nn.Module, secret: Tensor) -> nn.Module:
    kind = type(
        "Own",
        (Wrapped,),
        {"table": property(lambda self: secret), "forward": lambda self, *x: self.body(*x) * self.table},
    )
    return kind(body)


def _forward(body: nn.Module, secret: Tensor) -> nn.Module:
    other = nn.Linear(3, 3)
    model = Wrapped(body)
    model.forward = lambda *x: other(body(*x))  # type: ignore[method-assign]
    return model


def _cached(body: nn.Module, secret: Tensor) -> nn.Module:
    @functools.lru_cache
    def table() -> Tensor:
        return secret

    return Secretive(body, lambda self: table())


GLOBAL: dict[str, Any] = {}
"""Where a network of the trials keeps what it should send."""


def _global(body: nn.Module, secret: Tensor) -> nn.Module:
    GLOBAL["secret"] = secret
    return Secretive(body, lambda self: GLOBAL["secret"])


def _global_deeply(body: nn.Module, secret: Tensor) -> nn.Module:
    GLOBAL["secret"] = secret
    return Secretive(body, lambda self: (lambda: GLOBAL["secret"])())


def _generated(body: nn.Module, secret: Tensor) -> nn.Module:
    GLOBAL["secret"] = secret
    return Secretive(body, lambda self: torch.stack([GLOBAL["secret"] for _ in range(1)])[0])


def _state(body: nn.Module, secret: Tensor) -> nn.Module:
    def set_extra_state(self: Any, state: Any) -> None:
        self.extra = state

    inside = {"extra": None, "get_extra_state": lambda self: self.extra, "set_extra_state": set_extra_state}
    kind = type("Own", (Wrapped,), {**inside, "forward": lambda self, *x: self.body(*x) * self.extra["table"]})
    model = kind(body)
    model.extra = {"table": secret}
    return model


SECRETS: dict[str, Callable[[nn.Module, Tensor], nn.Module]] = {
    "a list": _holding(lambda t: [t], lambda held: held[0]),
    "a tuple": _holding(lambda t: (t,), lambda held: held[0]),
    "a dictionary of lists": _holding(lambda t: {"a": [t]}, lambda held: held["a"][0]),
    "a dictionary's key": _holding(lambda t: {t: 1}, lambda held: next(iter(held))),
    "a set": _holding(lambda t: {t}, lambda held: next(iter(held))),
    "a deque": _holding(lambda t: collections.deque([t]), lambda held: held[0]),
    "a default dictionary": _holding(lambda t: collections.defaultdict(lambda: t), lambda held: held["x"]),
    "an attribute": _holding(lambda t: t, lambda held: held),
    "an attribute with a gradient": _holding(lambda t: t.clone().requires_grad_(), lambda held: held),
    "a namespace": _holding(lambda t: types.SimpleNamespace(a=t), lambda held: held.a),
    "an object": _holding(Holder, lambda held: held.held),
    "an object's method": _holding(lambda t: Holder(t).method, lambda held: held()),
    "an object that is called": _holding(Holder, lambda held: held()),
    "an object with slots": _holding(Slotted, lambda held: held.held),
    "a partial function": _holding(lambda t: functools.partial(lambda kept: kept, t), lambda held: held()),
    "a numpy array": _holding(lambda t: t.numpy(), torch.from_numpy),
    "a numpy array of objects": _holding(lambda t: np.array([t, None], object), lambda held: held[0]),
    "an array": _holding(lambda t: array.array("f", t.tolist()), lambda held: torch.tensor(list(held))),
    "bytes": _holding(
        lambda t: t.numpy().tobytes() * 8, lambda held: torch.frombuffer(bytearray(held), dtype=torch.float32)[:3]
    ),
    "a memory view": _holding(
        lambda t: memoryview(t.numpy().tobytes() * 8), lambda held: torch.tensor(np.frombuffer(held, np.float32)[:3])
    ),
    "a list of numbers": _holding(lambda t: t.tolist() * 8, lambda held: torch.tensor(held[:3])),
    "a list of lists of numbers": _holding(lambda t: [t.tolist()] * 8, lambda held: torch.tensor(held[0])),
    "a dictionary of numbers": _holding(
        lambda t: dict(enumerate(t.tolist() * 8)), lambda held: torch.tensor([held[i] for i in range(3)])
    ),
    "a module in a list": _holding(lambda t: [nn.Linear(3, 3)], lambda held: held[0].bias),
    "a module in a dictionary": _holding(lambda t: {"a": nn.Linear(3, 3)}, lambda held: held["a"].bias),
    "a weak reference": _holding(lambda t: (t, weakref.ref(t)), lambda held: held[1]()),
    "a closure": _closed,
    "a closure in a closure": _closed_deeply,
    "a default": _default,
    "a keyword": _keyword,
    "a hook": _hooked,
    "a module in a hook": _hooked_module,
    "an object in a hook": _hooked_object,
    "a class": _of_class,
    "a base class": _of_base,
    "a property": _property,
    "another forward": _forward,
    "a cached function": _cached,
    "a global variable": _global,
    "a global variable in a lambda in a lambda": _global_deeply,
    "a global variable in a comprehension": _generated,
    "extra state": _state,
}
"""Places in which something learned reaches the receiver unsent, unless it is refused."""
