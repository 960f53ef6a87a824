"""Container files: as small as asked for, readable by themselves, and damaged packet by packet."""

from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from airdeliver import zoo
from airdeliver.compression.codec import DecodeError
from airdeliver.container import inspect, pack, unpack
from airdeliver.container.__main__ import main


@pytest.fixture(scope="module")
def state():
    return zoo.load("digits_clean").tensors


@pytest.mark.parametrize("bits", [1.0, 4.0])
def test_a_file_is_as_small_as_asked_for_and_holds_the_network(state, bits):
    data = pack(state, bits)
    found, back = inspect(data), unpack(data)
    assert found.bits_per_value <= bits * 1.02
    assert found.intact == found.packets
    assert list(back) == [n for n in state if state[n].is_floating_point()] + list(found.exact)
    weights = torch.cat([state[n].flatten() for n, _ in found.tensors])
    error = torch.cat([back[n].flatten() for n, _ in found.tensors]) - weights
    assert float(error.square().mean() / weights.var()) < (0.5 if bits == 1 else 0.02)
    for name in found.exact:
        assert torch.equal(back[name], state[name])


def test_a_damaged_packet_costs_its_values_alone(state):
    data = bytearray(pack(state, 4.0, packet_bytes=256))
    data[-300] ^= 1
    found = inspect(bytes(data))
    assert found.intact == found.packets - 1
    whole, damaged = unpack(pack(state, 4.0, packet_bytes=256)), unpack(bytes(data))
    changed = sum(int((whole[n] != damaged[n]).sum()) for n in whole)
    assert 0 < changed < 1000


def test_what_is_no_container_file_is_refused():
    with pytest.raises(DecodeError, match="no container file"):
        unpack(b"PK\x03\x04")
    with pytest.raises(ValueError, match="no floating tensor"):
        pack({"steps": torch.tensor(3)}, 2.0)
    with pytest.raises(ValueError, match="not finite"):
        pack({"weight": torch.tensor([1.0, torch.nan])}, 2.0)
    with pytest.raises(ValueError, match="bits must be above 0"):
        pack({"weight": torch.ones(3)}, 0.0)


def test_the_command(state, tmp_path: Path, capsys):
    save_file({name: tensor.contiguous() for name, tensor in state.items()}, tmp_path / "model.safetensors")
    files = [str(tmp_path / name) for name in ("model.safetensors", "model.adf", "back.safetensors")]
    main(["pack", *files[:2], "--bits", "3"])
    main(["unpack", *files[1:]])
    main(["inspect", files[1]])
    printed = capsys.readouterr().out
    assert "times smaller" in printed
    assert "container version 3" in printed
    assert set(load_file(files[2])) == set(state)
    with pytest.raises(SystemExit, match="No such file"):
        main(["inspect", str(tmp_path / "none.adf")])
