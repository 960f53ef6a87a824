"""Keys: derivation as standards have it, permutations that are the same everywhere, networks that need them."""

import hashlib

import pytest
import torch

from airdeliver.architecture import Device, Keyed
from airdeliver.architecture.keys import hkdf, permutation, task_key
from airdeliver.models import VGG, Served
from airdeliver.models.reconfigurable import shared_layers, signs

TWO = Served((0, 2), (10, 10, 10))


def test_derivation_is_that_of_the_standard():
    """RFC 5869, test case 3: no salt, no info, 42 bytes."""
    expected = "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d9d201395faa4b61a96c8"
    assert hkdf(bytes([0x0B] * 22), b"", 42).hex() == expected


def test_a_permutation_is_the_order_of_the_words_of_shake_256():
    """Word by word, from the definition."""
    key, layer, count = task_key(0, 1), 3, 50
    stream = hashlib.shake_256(key + bytes([0, 0, 0, layer])).digest(8 * count)
    words = [int.from_bytes(stream[8 * i : 8 * i + 8], "little") for i in range(count)]
    order = permutation(key, layer, count)
    assert order.tolist() == sorted(range(count), key=lambda i: words[i])
    assert not torch.equal(order, permutation(key, layer + 1, count))
    with pytest.raises(ValueError, match="32 bytes, got 3"):
        permutation(b"abc", 0, 4)


def test_a_key_travels_for_one_device_and_task():
    key, device = task_key(0, 0), Device(user=7)
    assert device.wrapped(device.wrapped(key, 2), 2) == key
    others = [Device(user=8), Device(root="01" * 32, user=7)]
    assert len({key, device.wrapped(key, 2), device.wrapped(key, 3), *(o.wrapped(key, 2) for o in others)}) == 5
    with pytest.raises(ValueError, match="32 bytes in hexadecimal"):
        Device(root="00")


def test_layers_that_tasks_share_are_binary_but_for_the_first_and_the_last_is_their_own():
    found = shared_layers(VGG()(1, 10))
    assert [binary for _, binary in found] == [False, *[True] * 6]
    assert "3" not in dict(found)
    network = Keyed(VGG(), 3, TWO).fresh([task_key(0, 0), task_key(0, 2)])
    assert sum(p.numel() for p in network.binary.values()) == 112_896
    # Norms (608 values) and head of a task.
    own = sum(p.numel() for p in network.networks[1].parameters())
    assert own == 608 + 64 * 10 + 10


def test_each_task_computes_with_the_shared_weights_in_its_own_order():
    """An ordinary network with the permuted signs says the same."""
    keys = [task_key(0, 0), task_key(0, 2)]
    network = Keyed(VGG(width=0.5), 1, TWO).fresh(keys)
    network.latent = True
    network.eval()
    plain, at = VGG(width=0.5)(1, 10).eval(), 1
    plain.load_state_dict(network.networks[at].state_dict(), strict=False)
    for number, (name, binary) in enumerate(network.layers):
        weight = (network.binary if binary else network.real)[name.replace(".", "_")]
        drawn = weight.flatten()[permutation(keys[at], number, weight.numel())].view(weight.shape)
        plain.get_submodule(name).weight.data = signs(drawn).detach() if binary else drawn.detach()
    inputs = torch.randn(4, 3, 8, 8, generator=torch.Generator().manual_seed(0))
    said = network(inputs)
    assert torch.allclose(said[:, 20:], plain(inputs[:, 2:]), atol=1e-5)
    assert not said[:, 10:20].any()


def test_signs_scale_filters_and_pass_gradients_within_one():
    weight = torch.tensor([[0.5, -0.25, 0.0], [2.0, -1.0, 0.0]], requires_grad=True)
    found = signs(weight)
    assert found.tolist() == [[0.25, -0.25, 0.25], [1.0, -1.0, 1.0]]
    found[:, 0].sum().backward()
    # sign_i sign_j / n by way of the scale, whose derivative at 0 is 0; the scale itself where a weight is within 1.
    assert torch.allclose(weight.grad, torch.tensor([[1 / 3 + 0.25, -1 / 3, 0.0], [1 / 3, -1 / 3, 0.0]]))


def test_a_receiver_builds_the_network_from_the_keys_that_it_was_sent():
    architecture, keys = Keyed(VGG(width=0.5), 1, TWO, Device(user=3)), [task_key(0, 0), task_key(0, 2)]
    description = architecture.describe(keys)
    assert len(description) == 64
    received = architecture.receive(description)
    assert all(bool(p.isnan().all()) for p in received.parameters())
    name = received.layers[1][0]
    for place, key in enumerate(keys):
        order = received.networks[place].get_submodule(name).order
        assert torch.equal(order, permutation(key, 1, len(order)))
    assert architecture.layout(description, statistics=False).description == description
    with pytest.raises(ValueError, match="2 tasks need 32 bytes each, got 32"):
        architecture.receive(description[:32])


def test_who_has_the_shared_weights_is_sent_a_key_norms_and_a_head():
    architecture, keys = Keyed(VGG(), 1, TWO), [task_key(0, 0), task_key(0, 2)]
    network = architecture.fresh(keys)
    shared = {name: p.detach() for name, p in network.named_parameters() if not name.startswith("networks")}
    knowing = architecture.knowing(shared, (2,))
    layout = knowing.layout(knowing.describe(keys[1:]), statistics=False)
    assert layout.size == 608 + 650
    assert len(layout.description) == 32
    received = knowing.receive(layout.description)
    assert all(torch.equal(dict(received.named_parameters())[name], tensor) for name, tensor in shared.items())
