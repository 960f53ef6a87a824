"""Tensors on disk, with a JSON record and a checksum of both."""

import hashlib
import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors import safe_open
from safetensors.torch import save
from torch import Tensor

from experiments.store.atomic import write_bytes


def write(path: Path, tensors: Mapping[str, Tensor], record: Mapping[str, Any]) -> str:
    """Write tensors and a record into one file, whole or not at all.

    Returns:
        The checksum of what was written.

    Raises:
        WriteError: the disk is full or the folder cannot be written to.
    """
    tensors = {name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}
    text = json.dumps(record)
    checksum = _checksum(tensors, text)
    write_bytes(path, save(tensors, {"record": text, "checksum": checksum}))
    return checksum


def read(path: Path) -> tuple[dict[str, Tensor], Any, str]:
    """Tensors, record and checksum of a file.

    Raises:
        FileNotFoundError: there is none.
        ValueError: it is damaged.
    """
    try:
        with safe_open(path, framework="pt") as file:
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
            metadata = file.metadata() or {}
    except FileNotFoundError:
        raise
    except Exception as error:  # safetensors' own exceptions have no documented base
        raise ValueError(f"its tensors cannot be read: {error}") from error
    if metadata.get("checksum") != _checksum(tensors, metadata.get("record", "")):
        raise ValueError("the checksum of its tensors does not match")
    return tensors, json.loads(metadata["record"]), metadata["checksum"]


def count(path: Path) -> int:
    """Real numbers in the floating-point tensors of a file, by its header alone.

    Raises:
        FileNotFoundError: there is none.
        ValueError: it is damaged.
    """
    try:
        with safe_open(path, framework="pt") as file:
            parts = [file.get_slice(name) for name in file.keys()]  # noqa: SIM118
            return sum(math.prod(part.get_shape()) for part in parts if "F" in part.get_dtype())
    except FileNotFoundError:
        raise
    except Exception as error:  # safetensors' own exceptions have no documented base
        raise ValueError(f"its tensors cannot be read: {error}") from error


def _checksum(tensors: Mapping[str, Tensor], record: str) -> str:
    state = hashlib.sha256(record.encode())
    for name, tensor in sorted(tensors.items()):
        state.update(f"{name} {tensor.dtype} {tuple(tensor.shape)}".encode())
        state.update(tensor.reshape(-1).view(torch.uint8).numpy().data if tensor.numel() else b"")
    return state.hexdigest()
