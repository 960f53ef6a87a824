"""Keys of tasks that share one parameter set: the order of its weights that a key stands for, and how a device gets it.

Nothing here is more secret than its derivation: who has the shared weights and a key has the task, and a lock that is a
permutation of weights has been broken (arXiv 2510.24422).
"""

import hashlib
import hmac
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Int64
from torch import Tensor

KEY_BYTES = 32
"""Of a task's key."""

WORD_BYTES = 8
"""Of the words whose order a permutation is."""


def permutation(key: bytes, layer: int, count: int) -> Int64[Tensor, "count"]:
    """The order that a task takes the weights of a layer in, the same on every machine.

    The stable order of `count` words of SHAKE-256(key || layer), the layer's number as four bytes, big-endian, each
    word eight bytes, little-endian.

    Args:
        key: of the task, 32 bytes.
        layer: its number, from 0.
        count: of its weights.

    Raises:
        ValueError: a key of another length.

    >>> permutation(bytes(32), 0, 6).tolist()
    [1, 5, 0, 3, 2, 4]
    """
    if len(key) != KEY_BYTES:
        raise ValueError(f"a key has {KEY_BYTES} bytes, got {len(key)}")
    stream = hashlib.shake_256(key + layer.to_bytes(4, "big")).digest(WORD_BYTES * count)
    return torch.from_numpy(np.argsort(np.frombuffer(stream, "<u8"), kind="stable"))


def task_key(seed: int, task: int) -> bytes:
    """The key of a task as a training draws it: SHAKE-256 of seed and number.

    Args:
        seed: of the training.
        task: its number, from 0.
    """
    return hashlib.shake_256(f"{seed}/key of a task/{task}".encode()).digest(KEY_BYTES)


def hkdf(secret: bytes, info: bytes, length: int = KEY_BYTES) -> bytes:
    """HKDF with SHA-256 and no salt.

    Args:
        secret: that the output derives from.
        info: what it is for.
        length: bytes of the output, at most 8,160.

    Source: H. Krawczyk and P. Eronen, HKDF, RFC 5869.
    """
    extracted = hmac.digest(bytes(hashlib.sha256().digest_size), secret, "sha256")
    found, block, number = b"", b"", 0
    while len(found) < length:
        number += 1
        block = hmac.digest(extracted, block + info + bytes([number]), "sha256")
        found += block
    return found[:length]


@dataclass(frozen=True)
class Device:
    """A receiver that has a secret in common with the sender.

    Args:
        root: that secret, 32 bytes in hexadecimal.
        user: who is served.

    Raises:
        ValueError: a root of another length.

    >>> device, key = Device(), bytes(range(32))
    >>> device.wrapped(device.wrapped(key, 3), 3) == key, device.wrapped(key, 3) == device.wrapped(key, 4)
    (True, False)
    """

    root: str = "00" * KEY_BYTES
    user: int = 0

    def __post_init__(self) -> None:
        if len(self.root) != 2 * KEY_BYTES:
            raise ValueError(f"a root has {KEY_BYTES} bytes in hexadecimal, got {len(self.root)} letters")
        bytes.fromhex(self.root)

    def wrapped(self, key: bytes, task: int) -> bytes:
        """The key as it travels to this device, and from there back: XOR with HKDF(root, user, task).

        Args:
            key: of the task, or what has travelled.
            task: its number.
        """
        info = b"airdeliver task" + self.user.to_bytes(8, "big") + task.to_bytes(4, "big")
        mask = hkdf(bytes.fromhex(self.root), info)
        return bytes(a ^ b for a, b in zip(key, mask, strict=True))
