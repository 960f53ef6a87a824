"""A network in a safetensors file: float16 weights, and what tells its architecture."""

import hashlib
import json
from pathlib import Path

import torch
from safetensors import safe_open
from safetensors.torch import save_file
from torch import Tensor

from airdeliver.architecture import Architecture
from airdeliver.plain import from_plain, to_plain
from airdeliver.training.trained import Trained
from airdeliver.zoo.card import NETWORKS, card, known


def load(name: str) -> Trained:
    """A trained network: give it to `deliver` as it is, or take the module, `load(name).model()`.

    Args:
        name: one of `names()`.

    Raises:
        ValueError: there is no network of this name, or its file is damaged.

    >>> load("digits_clean").model().training
    False
    """
    path = NETWORKS / f"{known(name)}.safetensors"
    found = sha256(path)
    if found != card(name).sha256:
        raise ValueError(f"the file of {name} is damaged, its hash is {found[:12]}...: install airdeliver again")
    return read(path)


def save(trained: Trained, path: Path | str) -> Path:
    """Write a network: weights of two and more dimensions in float16, the few others as they are.

    Args:
        trained: of a scheme, or `Trained.of(model)` with a model builder's architecture.
        path: replaced if it is there.

    Raises:
        TypeError: an architecture that no file can name, such as one that was handed in as an object.
    """
    what = {
        "architecture": to_plain(trained.architecture),
        "description": trained.description.hex(),
        "sensitivity": trained.state.get("sensitivity"),
    }
    tensors = {name: _small(tensor) for name, tensor in trained.tensors.items()}
    save_file(tensors, path, {"network": json.dumps(what, separators=(",", ":"))})
    return Path(path)


def read(path: Path | str) -> Trained:
    """The network that `save` wrote, in float32."""
    with safe_open(path, framework="pt") as file:
        what = json.loads(file.metadata()["network"])
        tensors = {name: _full(file.get_tensor(name)) for name in file.keys()}  # noqa: SIM118
    architecture = from_plain(what["architecture"])
    assert isinstance(architecture, Architecture)
    state = {} if what["sensitivity"] is None else {"sensitivity": what["sensitivity"]}
    return Trained(tensors, architecture, bytes.fromhex(what["description"]), state)


def sha256(path: Path | str) -> str:
    """Of a file's content, in hexadecimal digits."""
    return hashlib.sha256(Path(path).read_bytes()).hexdigest()


def _small(tensor: Tensor) -> Tensor:
    tensor = tensor.detach().cpu().contiguous()
    return tensor.half() if tensor.ndim > 1 and tensor.dtype == torch.float32 else tensor


def _full(tensor: Tensor) -> Tensor:
    return tensor.float() if tensor.dtype == torch.float16 else tensor
