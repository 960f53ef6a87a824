"""What a sweep needs that is not installed is told before anything is trained."""

import pytest

from airdeliver import DigitalLink
from channels import OFDM, Multicast
from experiments import requirements


def test_parts_that_need_a_package_are_found_at_any_depth():
    for piece in (DigitalLink(), DigitalLink("abstraction"), OFDM(), Multicast(OFDM()), [(DigitalLink(),)]):
        assert [needed for _, needed in requirements.requirements(piece)] == [("sionna", "airdeliver[sionna]")]
    assert not list(requirements.requirements(DigitalLink("capacity")))


def test_a_sweep_without_them_is_refused_while_planning(sweeps, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(requirements, "find_spec", lambda name: None)
    with pytest.raises(SystemExit) as ended:
        sweeps.here(tmp_path, "scheme=[clean,digital_adaptive]")
    said = f"{ended.value.code} {capsys.readouterr().err}"
    assert "scheme digital_adaptive: Full needs the package sionna: pip install 'airdeliver[sionna]'" in said
    assert not (tmp_path / "results.parquet").exists()
