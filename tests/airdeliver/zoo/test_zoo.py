"""The zoo: every network loads, scores what its card says, and all of them are small."""

from pathlib import Path

import pytest
import torch

from airdeliver import deliver, evaluate, zoo
from airdeliver.architecture import Pruned
from airdeliver.data import load_dataset
from airdeliver.training import Trained
from airdeliver.zoo import file
from airdeliver.zoo.sample import _apart, _together
from channels import AWGN

FOLDER = Path(zoo.__file__).parent
SLACK = 0.06
"""Between 500 test images and 10,000: more than three standard errors at 80 %."""


def test_all_of_it_is_below_four_megabytes():
    assert sum(path.stat().st_size for path in FOLDER.rglob("*") if path.suffix != ".pyc") < 4e6


def test_every_network_has_its_card_and_every_card_its_network():
    kinds = [{path.stem for path in FOLDER.glob(f"networks/*.{kind}")} for kind in ("json", "safetensors")]
    assert kinds[0] == kinds[1] == set(zoo.names())
    assert {
        "cifar10_airnet",
        "cifar10_clean",
        "cifar10_noise",
        "digits_clean",
        "digits_noise",
        "digits_airnet",
    } <= kinds[0]


@pytest.mark.parametrize("name", zoo.names())
def test_networks_score_on_the_sample_what_their_cards_say(name: str):
    card, network = zoo.card(name), zoo.load(name)
    assert sum(p.numel() for p in network.model().parameters()) == card.parameters
    images, labels = zoo.sample(card.dataset)
    delivery = deliver(network, card.link, AWGN(), 20.0, card.channel_uses, 1, normalisation=card.normalisation)
    assert delivery.channel_uses_spent <= card.channel_uses
    measured = next(score for score in card.scores if score.snr_db == 20.0)
    assert abs(evaluate(delivery, images, labels).accuracy - measured.accuracy) < SLACK
    assert measured.low < measured.accuracy < measured.high


def test_a_pruned_network_tells_its_widths_and_keeps_its_sensitivity():
    network = zoo.load("digits_airnet")
    assert isinstance(network.architecture, Pruned)
    assert network.description
    layout = network.architecture.layout(network.description, statistics=False)
    assert len(network.state["sensitivity"]) == len(layout.segments)


def test_the_published_score_is_met_again():
    """Delivered with the sensitivity that protects it, AirNet is as good as in the table of the digits."""
    card = zoo.card("digits_airnet")
    images, labels = zoo.sample("digits")
    report = evaluate(deliver(zoo.load("digits_airnet"), card.link, AWGN(), 0.0, card.channel_uses), images, labels)
    assert report.accuracy == pytest.approx(0.96493, abs=0.01)


def test_a_damaged_file_is_told(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(file, "sha256", lambda path: "0" * 64)
    with pytest.raises(ValueError, match="the file of digits_clean is damaged"):
        zoo.load("digits_clean")


@pytest.mark.parametrize("ask", [zoo.load, zoo.card])
def test_an_unknown_name_gets_the_nearest(ask):
    with pytest.raises(ValueError, match="no network 'digits_clear': did you mean digits_clean"):
        ask("digits_clear")


def test_a_sample_that_is_not_there_is_told():
    with pytest.raises(ValueError, match="no sample of 'svhn': there are cifar10, digits"):
        zoo.sample("svhn")


def test_pictures_come_apart_as_they_were_put_together():
    images = torch.randint(0, 256, (30, 3, 4, 5), generator=torch.Generator().manual_seed(0), dtype=torch.uint8)
    assert torch.equal(_apart(_together(images), 4, 5)[:30], images)
    grey = images[:, :1]
    assert torch.equal(_apart(_together(grey), 4, 5)[:30], grey)


def test_a_sample_has_as_many_of_each_class(tmp_path: Path):
    digits = load_dataset("digits", None)
    path = zoo.keep_sample(digits, 3, tmp_path)
    assert path.is_file()
    with pytest.raises(ValueError, match="fewer than 1000"):
        zoo.keep_sample(digits, 1000, tmp_path)
    with pytest.raises(ValueError, match="samples are of images"):
        zoo.keep_sample(load_dataset("diabetes", None), 3, tmp_path)


def test_what_is_saved_is_read(tmp_path: Path):
    network = zoo.load("digits_clean")
    again = file.read(zoo.save(network, tmp_path / "network.safetensors"))
    assert isinstance(again, Trained)
    for name, tensor in network.tensors.items():
        assert torch.equal(again.tensors[name], tensor), name
