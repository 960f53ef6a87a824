"""`python -m experiments.zoo` keeps what a sweep has trained, with what it scores."""

from pathlib import Path

import pytest

from airdeliver.zoo.card import read_card
from airdeliver.zoo.file import read, sha256
from experiments.sweep import main as sweep
from experiments.zoo import main

SMALL = ["experiment=demo", "scheme=[clean]", "training.epochs=1", "snr_db=[10]", "realizations=2", "test_images=40"]


def test_networks_of_a_sweep_are_kept_with_their_cards(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys):
    monkeypatch.chdir(tmp_path)
    keep = ["--networks", str(tmp_path), "--realizations", "2", "--images", "50", "--from", *SMALL]
    with pytest.raises(SystemExit, match="has not been trained: run"):
        main(keep)
    sweep(SMALL)
    main(keep)
    assert "digits_clean: Clean training, CNN, 14,458 parameters" in capsys.readouterr().out
    card = read_card(tmp_path / "digits_clean.json")
    assert card.sha256 == sha256(tmp_path / "digits_clean.safetensors")
    assert card.command == "python -m experiments.sweep " + " ".join(f"'{a}'" if "[" in a else a for a in SMALL)
    assert [score.snr_db for score in card.scores] == [None, -5.0, 0.0, 5.0, 10.0, 15.0, 20.0]
    assert {score.images for score in card.scores} == {50}
    assert not read(tmp_path / "digits_clean.safetensors").model().training
