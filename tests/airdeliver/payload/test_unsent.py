"""What was learned but would not be sent is refused by name; what is made anew in each forward pass is not."""

import threading
import weakref

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn.utils import prune

from airdeliver.payload import architecture_of, layout_of, load, load_tensors, payload_of, published

OUTER = nn.Linear(16, 16)


class Module(nn.Module):
    """A registered layer beside something else."""

    def __init__(self, **attributes):
        super().__init__()
        self.h = nn.Linear(16, 16)
        for name, value in attributes.items():
            setattr(self, name, value)

    def forward(self, x):
        return self.h(x)


class Extra(Module):
    def get_extra_state(self):
        return {"table": torch.ones(16)}

    def set_extra_state(self, state):
        pass


class Version(Module):
    def get_extra_state(self):
        return {"version": 3, "name": "a"}

    def set_extra_state(self, state):
        pass


class Global(Module):
    def forward(self, x):
        return OUTER(self.h(x))


class OfClass(Module):
    table = torch.rand(16, 16, generator=torch.Generator().manual_seed(0))


class Holder:
    def __init__(self, layer):
        self.layer = layer


def closed(layer):
    return lambda x: layer(x)


def hooked():
    model, other = Module(), nn.Linear(16, 16)
    model.register_forward_hook(lambda module, args, output: other(output))
    return model


def replaced():
    model = Module()
    own = model.h
    model.forward = lambda x: own(x)
    return model


class Parent(nn.Module):
    def __init__(self):
        super().__init__()
        self.a, self.b = nn.Linear(16, 16), Module()
        self.b.peer = weakref.ref(self.a)


REFUSED = {
    "list": (lambda: Module(layers=[nn.Linear(4, 4)]), r"^layers\.0\.weight is learned"),
    "dict in a tuple": (lambda: Module(layers=({"a": nn.Linear(4, 4)},)), r"^layers\.0\.a\.weight is learned"),
    "object": (lambda: Module(held=Holder(nn.Linear(4, 4))), r"^held\.layer\.weight is learned"),
    "tensor": (lambda: Module(prototypes=torch.rand(3, 5)), "^prototypes is a Tensor of 15 values"),
    "with gradient": (lambda: Module(t=torch.zeros(9, requires_grad=True)), "^t is a Tensor of 9 values"),
    "array": (lambda: Module(table=np.random.default_rng(0).normal(size=9)), "^table is a ndarray of 9 values"),
    "numbers": (lambda: Module(numbers=torch.rand(50).tolist()), "^numbers is a list of 50 values"),
    "bytes": (lambda: Module(packed=bytes(range(40))), "^packed is a bytes of 40 values"),
    "closure": (lambda: Module(call=closed(nn.Linear(4, 4))), "^call:layer is a module of the sender's"),
    "hook": (hooked, "other is a module of the sender's"),
    "replaced forward": (replaced, "^forward:own is a module of the sender's"),
    "global": (Global, r"Global\.forward:OUTER is a module of the sender's"),
    "class": (OfClass, r"OfClass\.table is a Tensor of 256 values"),
    "weak reference": (Parent, r"^b\.peer is a module of the sender's"),
    "extra state": (Extra, r"^get_extra_state\(\) holds learned values"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_would_arrive_unsent_is_refused_by_name(name):
    build, message = REFUSED[name]
    for refusing in (payload_of, architecture_of):
        with pytest.raises(ValueError, match=message) as error:
            refusing(build())
        assert "\n" not in str(error.value)


def test_dynamically_quantised_layers_are_refused_by_name():
    model = torch.ao.quantization.quantize_dynamic(nn.Sequential(nn.Linear(16, 4)), {nn.Linear}, torch.qint8)
    with pytest.raises(ValueError, match=r"^0\._packed_params"):
        payload_of(model)


class Keeps(Module):
    def forward(self, x):
        self.last = self.h(x)
        return self.last


class Remembers(Module):
    def forward(self, x):
        self.state = self.state + self.h(x).mean(0).detach()
        return self.state


ALLOWED = {
    "settings": lambda: Module(rates=[0.1, 0.2], size=(3, 4), name="a", scale=torch.tensor(8.0), index=torch.arange(9)),
    "positions": lambda: Module(levels=[float(i) for i in range(40)], attn_mask=torch.ones(4, 4)),
    "plain modules": lambda: Module(acts=[nn.ReLU(), nn.GELU()]),
    "lock": lambda: Module(lock=threading.Lock()),
    "own layer in a list": lambda: (m := Module(), setattr(m, "order", [m.h]))[0],
    "bound method": lambda: (m := Module(), setattr(m, "call", m.h.forward))[0],
    "version": Version,
    "recurrent": lambda: nn.LSTM(4, 5, 2, bidirectional=True),
}


@pytest.mark.parametrize("name", ALLOWED)
def test_settings_constants_and_what_is_registered_pass(name):
    model = ALLOWED[name]()
    payload = payload_of(model)
    received = load(architecture_of(model), payload.layout, payload.values)
    assert all(torch.equal(a, b) for a, b in zip(received.parameters(), model.parameters(), strict=True))


def test_kept_activations_are_copied_without_history_and_without_values():
    model = Keeps()
    model(torch.ones(2, 16)).sum().backward()
    payload = payload_of(model)
    blank = architecture_of(model)
    assert bool(blank.last.isnan().all())
    assert torch.equal(load(blank, payload.layout, payload.values)(torch.ones(1, 16)), model(torch.ones(1, 16)))


def test_state_that_forward_reads_before_it_writes_is_refused():
    with pytest.raises(ValueError, match=r"^state is a Tensor of 16 values"):
        payload_of(Remembers(state=torch.rand(16)))


def weight_normed():
    return nn.Sequential(nn.utils.weight_norm(nn.Linear(16, 4)))


def spectral_normed():
    return nn.Sequential(nn.utils.spectral_norm(nn.Linear(16, 4)))


def pruned():
    model = nn.Sequential(nn.Linear(16, 4))
    prune.l1_unstructured(model[0], "weight", 0.5)
    return model


@pytest.mark.filterwarnings("ignore::FutureWarning")
@pytest.mark.parametrize("build", [weight_normed, spectral_normed, pruned])
def test_weights_that_hooks_compute_are_computed_by_the_receiver(build):
    model, x = build(), torch.rand(3, 16)
    model(x).sum().backward()
    model.eval()
    payload = payload_of(model)
    blank = architecture_of(model)
    assert bool(blank[0].weight.isnan().all())
    assert torch.equal(load(blank, payload.layout, payload.values)(x), model(x))


def test_the_copy_shares_no_memory_with_the_model():
    model = Module(lock=threading.Lock())
    twin = architecture_of(model)
    assert bool(twin.h.weight.isnan().all())
    assert bool(model.h.weight.isfinite().all())


class Shares(Module):
    def __deepcopy__(self, memo):
        return self


def test_a_copy_that_shares_its_weights_is_refused_before_they_are_lost():
    model = Shares()
    with pytest.raises(ValueError, match=r"shares h\.weight with it"):
        architecture_of(model)
    assert bool(model.h.weight.isfinite().all())


def test_expanded_and_conjugate_and_float8_tensors_travel():
    model = Module()
    model.p = nn.Parameter(torch.randn(3, dtype=torch.complex64).conj())
    model.register_buffer("shift", torch.rand(1, 4).expand(3, 4))
    model.register_buffer("brief", torch.randn(3).to(torch.float8_e4m3fn))
    payload = payload_of(model)
    assert payload.layout.segments[payload.layout.names.index("shift")].shape == (1, 4)
    received = load(architecture_of(model), payload.layout, payload.values)
    assert torch.equal(received.p, model.p)
    assert torch.equal(received.shift, model.shift)
    assert torch.equal(received.brief.float(), model.brief.float())


def test_meta_sparse_and_lazy_tensors_are_refused_in_a_line():
    sparse = nn.ParameterList([nn.Parameter(torch.eye(3).to_sparse())])
    for model, message in (
        (nn.Linear(4, 4, device="meta"), "weight is on the meta device and has no values"),
        (sparse, "^0 is sparse_coo, not a plain tensor"),
        (nn.LazyLinear(3), "run the lazy model once"),
    ):
        with pytest.raises(ValueError, match=message):
            payload_of(model)


def test_published_parts_are_left_out_and_known():
    model = nn.Sequential(nn.Linear(4, 4), nn.BatchNorm1d(4), nn.Linear(4, 2))
    model[1].running_mean.fill_(3.0)
    published(model, "0", "1", but=("*.bias",))
    payload = payload_of(model, statistics=True)
    assert payload.layout.names == ("0.bias", "1.bias", "2.weight", "2.bias")
    received = load(architecture_of(model), payload.layout, payload.values * 0)
    assert torch.equal(received[0].weight, model[0].weight)
    assert torch.equal(received[1].running_mean, model[1].running_mean)
    assert not received[2].weight.any()
    assert layout_of(nn.Sequential(published(nn.Linear(3, 3)), nn.Linear(3, 1))).names == ("1.weight", "1.bias")
    with pytest.raises(ValueError, match="'3' fits no parameter or buffer"):
        published(model, "3")


def test_a_published_attribute_is_no_longer_refused():
    model = published(Module(prototypes=torch.rand(3, 5)), "prototypes")
    assert torch.equal(architecture_of(model).prototypes, model.prototypes)


@pytest.mark.parametrize("baked", [torch.jit.freeze, torch.jit.optimize_for_inference])
def test_torchscript_with_weights_in_its_code_is_refused(baked):
    with pytest.raises(ValueError, match=r"TorchScript whose code holds .* learned values as a constant"):
        payload_of(baked(torch.jit.script(nn.Sequential(nn.Linear(4, 4)).eval())))


@pytest.mark.parametrize("made", ["scripted", "traced", "fx", "exported", "compiled", "parallel"])
def test_wrapped_and_traced_models_travel(made):
    model, x = nn.Sequential(nn.Linear(4, 4), nn.BatchNorm1d(4), nn.Linear(4, 2)).eval(), torch.rand(3, 4)
    wrapped = {
        "scripted": lambda: torch.jit.script(model),
        "traced": lambda: torch.jit.trace(model, x),
        "fx": lambda: torch.fx.symbolic_trace(model),
        "exported": lambda: torch.export.export(model, (x,)).module(),
        "compiled": lambda: torch.compile(model, backend="eager"),
        "parallel": lambda: nn.DataParallel(model),
    }[made]()
    payload = payload_of(wrapped)
    assert payload.layout.size == payload_of(model).layout.size
    received = load(architecture_of(wrapped), payload.layout, payload.values)
    with torch.no_grad():
        assert torch.equal(received(x), model(x))


class Versioned(nn.Linear):
    """Refuses state dicts of which it is not told that it has written them, as some networks of torchvision do."""

    _version = 2

    def _load_from_state_dict(self, state_dict, prefix, local_metadata, *rest):
        if local_metadata.get("version") != 2:
            raise ValueError("unknown version")
        super()._load_from_state_dict(state_dict, prefix, local_metadata, *rest)


def test_tensors_without_versions_load():
    model, other = nn.Sequential(Versioned(3, 3)), nn.Sequential(Versioned(3, 3))
    plain = dict(other.state_dict())
    with pytest.raises(ValueError, match="unknown version"):
        model.load_state_dict(plain)
    load_tensors(model, plain)
    assert torch.equal(model[0].weight, other[0].weight)


class Attributed(nn.Module):
    """Has an attribute of the name of a global variable."""

    def __init__(self) -> None:
        super().__init__()
        self.somewhere_else = nn.Linear(2, 2)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.somewhere_else(x)


somewhere_else = nn.Linear(2, 2)


def test_an_attribute_is_no_global_variable_of_its_name():
    assert layout_of(architecture_of(Attributed())).size == 6
