"""Container files: as small as asked for, readable by themselves, and damaged packet by packet."""

from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from airdeliver import zoo
from airdeliver.compression.codec import DecodeError
from airdeliver.container import inspect, pack, relative_errors, unpack
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
    assert "relative squared error: " in printed
    assert "container version 3" in printed
    assert set(load_file(files[2])) == set(state)
    with pytest.raises(SystemExit, match="No such file"):
        main(["inspect", str(tmp_path / "none.adf")])


def test_what_is_read_is_not_overwritten(state, tmp_path: Path):
    weights, packed = tmp_path / "model.safetensors", tmp_path / "model.adf"
    save_file({name: tensor.contiguous() for name, tensor in state.items()}, weights)
    main(["pack", str(weights), str(packed)])
    (tmp_path / "link").symlink_to(weights)
    before = weights.read_bytes(), packed.read_bytes()
    for given in (("pack", weights, weights), ("unpack", packed, packed), ("pack", weights, tmp_path / "link")):
        with pytest.raises(SystemExit, match="is read and would be overwritten: give the result another name"):
            main([str(part) for part in given])
    assert (weights.read_bytes(), packed.read_bytes()) == before


def test_files_that_are_not_what_is_wanted_are_named(tmp_path: Path):
    torch.save({"weight": torch.zeros(3)}, tmp_path / "model.pt")
    for source, target, words in (
        ("model.pt", "model.adf", "is no safetensors file"),
        ("none.safetensors", "model.adf", "is no file"),
        ("model.pt", "none/model.adf", "must be a file in a folder that exists"),
        ("model.pt", "", "must be a file in a folder that exists"),
    ):
        with pytest.raises(SystemExit, match=words):
            main(["pack", str(tmp_path / source), str(tmp_path / target)])


@pytest.fixture(scope="module")
def perceptron():
    torch.manual_seed(0)
    model = torch.nn.Sequential(torch.nn.Linear(64, 64), torch.nn.BatchNorm1d(64), torch.nn.Linear(64, 10))
    return model.state_dict()


def test_a_damaged_file_is_not_unpacked_in_silence(perceptron, tmp_path: Path, capsys):
    data = bytearray(pack(perceptron, 2.0))
    first = inspect(bytes(data))
    sound, bad, back = (tmp_path / name for name in ("sound.adf", "bad.adf", "back.safetensors"))
    sound.write_bytes(data)
    data[-1000] ^= 1
    bad.write_bytes(data)
    with pytest.raises(SystemExit, match=f"1 of {first.packets} packets is lost.* partly: .*Nothing is written"):
        main(["unpack", str(bad), str(back)])
    assert not back.exists()
    assert capsys.readouterr() == ("", "")
    main(["unpack", str(bad), str(back), "--damaged"])
    out, err = capsys.readouterr()
    assert out.strip() == str(back)
    assert err.startswith(f"warning: 1 of {first.packets} packets is lost")
    lost = dict(inspect(bytes(data)).missing)
    whole = unpack(sound.read_bytes())
    changed = [name for name, values in load_file(back).items() if not torch.equal(values, whole[name])]
    assert set(changed) <= set(lost)
    main(["inspect", str(bad)])
    assert "values missing" in capsys.readouterr().out
    main(["unpack", str(sound), str(back)])
    assert capsys.readouterr().err == ""


def test_small_tensors_that_are_gone_are_named(perceptron):
    """The first packet of the first group has all that is small."""
    data = bytearray(pack(perceptron, 2.0))
    start = inspect(bytes(data)).layout_bytes
    data[start + 60] ^= 1
    lost = dict(inspect(bytes(data)).missing)
    assert lost["0.bias"] == 64
    assert lost["2.bias"] == 10
    assert "0.weight" not in lost


def test_whole_numbers_have_a_checksum():
    data = pack({"weight": torch.ones(3), "steps": torch.tensor(41)}, 8.0)
    assert unpack(data)["steps"] == 41
    with pytest.raises(DecodeError, match="whole numbers"):
        unpack(data.replace(b"41", b"43"))


def test_zeros_and_faint_tensors_take_no_bits_from_others(perceptron):
    """As with the band's other biases alone, but for what their own few values take."""
    faint = {**perceptron, "1.bias": torch.full((64,), 1e-20)}
    without = {name: tensor for name, tensor in perceptron.items() if name != "1.bias"}
    expected = relative_errors(without, pack(without, 2.0))["0.weight"]
    assert relative_errors(perceptron, pack(perceptron, 2.0))["0.weight"] == pytest.approx(expected, rel=0.05)
    assert relative_errors(faint, pack(faint, 2.0))["0.weight"] < 2 * expected
    assert expected < 0.13


def test_lost_tensors_are_named(tmp_path: Path, capsys):
    generator = torch.Generator().manual_seed(0)
    tensors = {"large": torch.randn(64, 64, generator=generator), "small": torch.randn(10, generator=generator)}
    save_file(tensors, tmp_path / "model.safetensors")
    main(["pack", str(tmp_path / "model.safetensors"), str(tmp_path / "model.adf"), "--bits", "0.1"])
    assert "or more): large; 0.1 bits a value are too few" in capsys.readouterr().err
    with pytest.raises(ValueError, match="no tensor 'other'"):
        relative_errors({"other": torch.ones(2)}, pack(tensors, 2.0))
