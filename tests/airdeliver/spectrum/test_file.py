"""One file for all members, at most a tenth larger than the largest; a member cut out of it is that member."""

import json

import pytest
import torch

from airdeliver import evaluate
from airdeliver.elastic import ElasticArchitecture, Nested
from airdeliver.models import VGG
from airdeliver.plain import from_plain, to_plain
from airdeliver.randomness import stream
from airdeliver.schemes import AirNetSpectrum
from airdeliver.spectrum import (
    AccuracyTable,
    SpectrumPackage,
    cut,
    load,
    load_member,
    save,
    save_member,
    summaries,
)
from airdeliver.spectrum.file import joined, parted
from airdeliver.spectrum.package import choice_of
from channels import AWGN
from tests.airdeliver.compression.random_network import prunable


@pytest.fixture(scope="module")
def file(known, tmp_path_factory):
    return save(known.package, tmp_path_factory.mktemp("spectrum") / "spectrum.safetensors")


def test_what_is_read_is_what_was_written(known, file):
    """Every member computes the same, parameters are views again, and choices, rule and table are equal."""
    package = load(file)
    images = torch.randn(8, 1, 8, 8, generator=stream(0, "noise"))
    for before, after in zip(known.package.spectrum.members, package.spectrum.members, strict=True):
        assert torch.equal(before.model(images), after.model(images))
        assert before.condition == after.condition
    assert isinstance(package.spectrum, Nested)
    memory = {p.untyped_storage().data_ptr() for p in package.spectrum.parameters()}
    members = [p for member in package.spectrum.members for p in member.model.parameters()]
    assert {p.untyped_storage().data_ptr() for p in members} == memory
    for before, after in zip(known.package.choices, package.choices, strict=True):
        assert torch.equal(before.payload.values, after.payload.values)
        assert before.payload.layout == after.payload.layout
        assert torch.equal(before.payload.sensitivity, after.payload.sensitivity)
    assert torch.equal(known.package.table.accuracy, package.table.accuracy)
    assert package.selection == known.package.selection


def test_a_file_of_another_spectrum_is_refused(known):
    state = known.package.spectrum.state_dict()
    together = joined(state)
    assert all(torch.equal(state[name], tensor) for name, tensor in parted(together, state).items())
    together["small/float32"] = together["small/float32"][:-1]
    with pytest.raises(ValueError, match="another number of small tensors"):
        parted(together, state)


def test_what_is_read_can_be_sent(known, file):
    sent = [known.scheme.send(p, AWGN(), 10.0, 8701, "average", 2, 0) for p in (known.package, load(file))]
    assert torch.equal(sent[0].groups[0].decoded.values, sent[1].groups[0].decoded.values)
    test = known.problem.task.dataset.test
    assert evaluate(sent[1], known.problem.task.dataset.prepare(test.images), test.labels).accuracy > 0.5


def test_a_member_cut_out_is_the_member(known, file, tmp_path):
    package, images = load(file), torch.randn(8, 1, 8, 8, generator=stream(0, "noise"))
    for index, member in enumerate(package.spectrum.members):
        model = load_member(save_member(package, index, tmp_path / f"{index}.safetensors"))
        torch.testing.assert_close(model(images), member.model(images), atol=1e-5, rtol=0)
    sizes = [(tmp_path / f"{index}.safetensors").stat().st_size for index in range(4)]
    assert sizes == sorted(sizes)
    with pytest.raises(ValueError, match="members 0 to 3, not 4"):
        save_member(package, 4, tmp_path / "none.safetensors")


def test_the_file_is_hardly_larger_than_the_largest_member(task, tmp_path):
    """At most 1.1 times the largest one's bare parameters, for the network of CIFAR-10 and four members: file header,
    table, statistics and what the members have of their own included."""
    unpruned, scheme = prunable(VGG(), (3, 32, 32)), AirNetSpectrum()
    network = unpruned.unpruned()
    with torch.no_grad():
        for p in network.parameters():
            p.add_(0.1 * torch.randn(p.shape, generator=stream(0, "noise")))
    conditions = scheme.conditions(60_000)
    spectrum = scheme.builder.build(network, conditions, unpruned, task, 0, False)
    choices = tuple(choice_of(m, scheme.normalisation, torch.ones(len(m.layout(scheme.normalisation).segments)))
                    for m in spectrum.members)  # fmt: skip
    table = AccuracyTable(scheme.table_snr_db, torch.rand(4, 8, generator=stream(0, "noise")))
    package = SpectrumPackage(choices, scheme.normalisation, table=table, spectrum=spectrum,
                              architecture=ElasticArchitecture(scheme.builder, unpruned, conditions))  # fmt: skip
    whole = save(package, tmp_path / "spectrum.safetensors").stat().st_size
    assert whole <= 1.1 * sum(p.nbytes for p in cut(spectrum, 3).parameters())


def test_summaries_say_what_members_are(known):
    rows = summaries(known.package)
    assert [row.inputs for row in rows] == [8, 4, 2, 1]
    assert [row.snr_db for row in rows] == known.scheme.ranges_db()
    parameters = [row.parameters for row in rows]
    assert parameters == sorted(parameters)
    assert parameters[-1] == known.package.choices[-1].payload.layout.size
    operations = [row.multiply_accumulates for row in rows]
    assert operations == sorted(operations)
    assert operations[-1] < 0.46e6
    assert float(known.package.table.at(torch.tensor([0.0]))[1, 0]) == rows[1].accuracy


def test_files_that_are_no_spectrum_are_refused(known, tmp_path, file):
    with pytest.raises(ValueError, match="there is no file"):
        load(tmp_path / "none.safetensors")
    (tmp_path / "text").write_text("no tensors")
    with pytest.raises(ValueError, match="no safetensors file"):
        load(tmp_path / "text")
    with pytest.raises(ValueError, match="holds no model"):
        load_member(file)


def test_a_file_runs_no_code_of_other_packages():
    recipe = to_plain(AirNetSpectrum().conditions(100))
    assert from_plain(json.loads(json.dumps(recipe))) == AirNetSpectrum().conditions(100)
    with pytest.raises(ValueError, match=r"names os.system"):
        from_plain({"class": "os.system", "command": "true"})
    with pytest.raises(ValueError, match="no dataclass"):
        from_plain({"class": "airdeliver.plain.to_plain"})
    with pytest.raises(TypeError, match="cannot write"):
        to_plain(object())
