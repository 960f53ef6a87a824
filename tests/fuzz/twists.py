"""What may be odd about a network: its values, dtypes, buffers, hooks and attributes, its output and its class."""

import collections
import functools
import random
import threading
import types
import weakref
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.utils import parametrize, prune

from tests.fuzz.networks import Network

Twist = Callable[[random.Random, nn.Module], nn.Module]


def _first(model: nn.Module) -> nn.Parameter:
    return next(p for p in model.parameters() if p.numel() > 1)


def _linear(model: nn.Module) -> nn.Linear:
    return [m for m in model.modules() if type(m) is nn.Linear][-1]


class Wrapped(nn.Module):
    """A network around another one, to which things can be attached."""

    def __init__(self, body: nn.Module) -> None:
        super().__init__()
        self.body = body

    def forward(self, *inputs: Any) -> Any:
        return self.body(*inputs)


class Answers(Wrapped):
    """Its output in another form."""

    def __init__(self, body: nn.Module, form: Callable[[Tensor], Any]) -> None:
        super().__init__(body)
        self.form = form

    def forward(self, *inputs: Any) -> Any:
        return self.form(self.body(*inputs))


class Masked(nn.Module):
    def forward(self, weight: Tensor) -> Tensor:
        return weight * 0.5


class Stubborn(Wrapped):
    """What cannot be copied."""

    def __deepcopy__(self, memo: dict) -> "Stubborn":
        raise TypeError("no copies")


class Sharing(Wrapped):
    """A copy that is none."""

    def __deepcopy__(self, memo: dict) -> "Sharing":
        return self


class Slots(Wrapped):
    __slots__ = ("lock",)


class Explosive(Wrapped):
    """A property that fails."""

    @property
    def trouble(self) -> Tensor:
        raise RuntimeError("not yet")


def _in_place(change: Callable[[random.Random, nn.Module], Any]) -> Twist:
    def twist(chosen: random.Random, model: nn.Module) -> nn.Module:
        change(chosen, model)
        return model

    return twist


@torch.no_grad()
def _filled(chosen: random.Random, model: nn.Module) -> None:
    _first(model).flatten()[0].fill_(chosen.choice((torch.nan, torch.inf, -torch.inf)))


@torch.no_grad()
def _scaled(chosen: random.Random, model: nn.Module) -> None:
    _first(model).mul_(chosen.choice((0.0, 1e-30, 1e-9, 1e9, 1e30, 1e-42)))


@torch.no_grad()
def _constant(chosen: random.Random, model: nn.Module) -> None:
    for parameter in model.parameters():
        parameter.fill_(chosen.choice((0.0, 1.0, -3.5)))


def _buffer(chosen: random.Random, model: nn.Module) -> None:
    buffers = [
        torch.randn(3, 4), torch.zeros(0), torch.tensor(3.0), torch.arange(5), torch.ones(4, dtype=torch.bool),
        torch.full((4, 4), -torch.inf).triu(1), torch.randn(3).double(), torch.randn(3).half(),
        torch.randn(3, dtype=torch.cfloat), torch.randint(-128, 127, (4, 4), dtype=torch.int8),
        torch.tensor([torch.nan, 1.0]), torch.rand(3).expand(2, 3), torch.randint(0, 255, (4,), dtype=torch.uint8),
        torch.eye(3).to_sparse(), torch.randn(3).to(torch.float8_e5m2), torch.tensor([2**40]),
    ]  # fmt: skip
    name = chosen.choice(
        ("mask", "table", "running_var", "weight", "position_ids", "x", "var", "größe", "class", "scale")
    )
    model.register_buffer(name, chosen.choice(buffers), persistent=chosen.random() < 0.8)


def _parameter(chosen: random.Random, model: nn.Module) -> None:
    parameters = [
        nn.Parameter(torch.tensor(2.0)), nn.Parameter(torch.zeros(0, 3)),
        nn.Parameter(torch.randn(2, dtype=torch.cfloat)), nn.Parameter(torch.randn(4).double()),
        nn.Parameter(torch.arange(3), requires_grad=False), nn.Parameter(torch.randn(6).half()),
        nn.Parameter(torch.randn(4, 3).t()), nn.Parameter(torch.randn(8)[::2]),
        nn.Parameter(torch.randn(4).bfloat16()), nn.Parameter(torch.randn(3, dtype=torch.chalf)),
        nn.Parameter(_first(model).detach()[:1]), nn.UninitializedParameter(),
        nn.Parameter(torch.randn(1, 3).expand(4, 3)), nn.Parameter(torch.randn(3, device="meta")), None,
        nn.Parameter(torch._neg_view(torch.randn(3))),
        nn.Parameter(torch.randn(3).to(torch.float8_e4m3fn), requires_grad=False),
        nn.Parameter(torch.eye(3).to_sparse()),
        nn.Parameter(torch.randn(2, 2).to_mkldnn()) if chosen.random() < 0 else None,
    ]  # fmt: skip
    model.register_parameter(
        chosen.choice(("extra", "class", "größe", "0x", "running_mean")), chosen.choice(parameters)
    )


def _hook(chosen: random.Random, model: nn.Module) -> None:
    chosen.choice(
        [
            lambda: model.register_forward_hook(
                lambda module, inputs, outputs: outputs * 2 if isinstance(outputs, Tensor) else None
            ),
            lambda: model.register_forward_pre_hook(lambda module, inputs: None),
            lambda: model.register_full_backward_hook(lambda *_: None),
            lambda: model.register_state_dict_post_hook(lambda *_: None),
            lambda: model.register_load_state_dict_post_hook(lambda *_: None),
        ]
    )()


def _attribute(chosen: random.Random, model: nn.Module) -> None:
    cycle: list[Any] = [model]
    cycle.append(cycle)
    values = [
        threading.Lock(), torch.Generator(), weakref.ref(model), cycle, lambda x: x, "text" * 100, {"a": 1},
        range(10**9), iter([1]), np.random.default_rng(0), [0.1] * 3, types.SimpleNamespace(a=1),
        torch.device("cpu"), torch.tensor(1.0), torch.arange(100), open, Ellipsis, 10**400, {1: {2: {3: model}}},
        collections.OrderedDict(), object(), float("nan"), (x for x in range(3)), functools.partial(print, 1),
        torch.nn.functional.relu, np.float32(3), b"abc", memoryview(b"abc"),
    ]  # fmt: skip
    model.thing = chosen.choice(values)  # type: ignore[assignment]


def _pruned(chosen: random.Random, model: nn.Module) -> None:
    chosen.choice((prune.l1_unstructured, prune.random_unstructured))(
        _linear(model), "weight", chosen.choice((0.0, 0.5, 1.0))
    )


def _parametrized(chosen: random.Random, model: nn.Module) -> None:
    parametrize.register_parametrization(_linear(model), "weight", Masked())


def _tied(chosen: random.Random, model: nn.Module) -> None:
    linear = _linear(model)
    spare = nn.Linear(linear.in_features, linear.out_features)
    spare.weight = linear.weight
    holder = nn.Identity()
    holder.add_module("tied", spare)
    model.add_module("holder", holder)


TWISTS: dict[str, Twist] = {
    "as it is": lambda chosen, model: model,
    "half": lambda chosen, model: model.half(),
    "bfloat16": lambda chosen, model: model.bfloat16(),
    "double": lambda chosen, model: model.double(),
    "training": lambda chosen, model: model.train(),
    "frozen": lambda chosen, model: model.requires_grad_(False),
    "not finite": _in_place(_filled),
    "scaled": _in_place(_scaled),
    "constant": _in_place(_constant),
    "buffer": _in_place(_buffer),
    "parameter": _in_place(_parameter),
    "hook": _in_place(_hook),
    "attribute": _in_place(_attribute),
    "pruned": _in_place(_pruned),
    "parametrized": _in_place(_parametrized),
    "tied": _in_place(_tied),
    "channels last": lambda chosen, model: model.to(memory_format=torch.channels_last),
    "meta": lambda chosen, model: model.to("meta"),
    "wrapped": lambda chosen, model: Wrapped(model),
    "stubborn": lambda chosen, model: Stubborn(model),
    "sharing": lambda chosen, model: Sharing(model),
    "slots": lambda chosen, model: Slots(model),
    "explosive": lambda chosen, model: Explosive(model),
    "data parallel": lambda chosen, model: nn.DataParallel(model),
    "averaged": lambda chosen, model: torch.optim.swa_utils.AveragedModel(model),
    "compiled": lambda chosen, model: torch.compile(model, backend="eager"),
    "empty": lambda chosen, model: nn.Sequential(nn.Flatten()),
    "nothing": lambda chosen, model: nn.Module(),
    "script": lambda chosen, model: torch.jit.script(model),
    "dynamic": lambda chosen, model: torch.ao.quantization.quantize_dynamic(model),
    "answers": lambda chosen, model: Answers(model, chosen.choice(FORMS)),
}

FORMS: tuple[Callable[[Tensor], Any], ...] = (
    lambda y: {"logits": y},
    lambda y: {"a": y, "b": y},
    lambda y: (y, y),
    lambda y: [y],
    lambda y: types.SimpleNamespace(logits=y),
    lambda y: y[:, 0],
    lambda y: y[:, :1],
    lambda y: y.sum(),
    lambda y: None,
    lambda y: y.double(),
    lambda y: y.argmax(1),
    lambda y: y * torch.nan,
    lambda y: y.to(torch.cfloat),
    lambda y: y[:, :, None, None].expand(-1, -1, 2, 2),
    lambda y: y[:1],
    lambda y: y.numpy(force=True),
    lambda y: y > 0,
    lambda y: y[:0],
    lambda y: {"logits": None},
    lambda y: iter([y]),
    lambda y: y.to_sparse(),
)


def twisted(chosen: random.Random, network: Network) -> Network:
    """A network with up to three oddities; those that torch itself refuses are left out."""
    model, words = network.model, network.words
    for name in chosen.choices(list(TWISTS), k=chosen.choice((1, 1, 2, 3))):
        try:
            model = TWISTS[name](chosen, model)
        except Exception:  # torch may refuse what is asked for.
            continue
        words += f"; {name}"
    return Network(model, network.inputs, words)
