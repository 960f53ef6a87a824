"""What schemes say of themselves."""

from dataclasses import dataclass, replace

import pytest

from airdeliver import CapacityLink, DigitalLink, Normalisation
from airdeliver.links.digital import Ideal
from airdeliver.recipe import Recipe
from airdeliver.schemes import About, AirNet, AirNetSpectrum, Clean, Digital, Noise, SeparateNetworks
from channels import AWGN, Rayleigh


@dataclass(frozen=True)
class SignsAndOneScale(Clean):
    """A scheme of a user's, which says nothing of itself."""


def test_a_scheme_of_ones_own_needs_to_say_nothing():
    assert SignsAndOneScale().about() == About("Signs and one scale", "analog", "as it is")
    assert SignsAndOneScale(DigitalLink()).about() == About("Signs and one scale", "digital", "as it is")
    assert Clean().about() == About("Clean")
    assert Noise(train_snr_db=3.0, train_channel=Rayleigh()).about() == About(
        "Noise", "analog", "trained for the link", 3.0, Rayleigh()
    )


def test_the_limit_is_known_by_the_link_however_it_is_written():
    for link in (CapacityLink(), DigitalLink(phy="capacity"), DigitalLink(phy=Ideal())):
        assert Digital(link).about() == About("Digital: rate at capacity, these networks", "digital", limit=True)
    assert not Digital().about().limit


def test_digital_networks_are_trained_where_rates_are_given():
    assert Digital().about().preparation == "as it is"
    assert Digital(train_bits=(2.0, 1.0)).about().preparation == "trained for the link"


def test_airnet_was_trained_at_an_snr_only_if_noise_was_there():
    assert AirNet().about() == About("AirNet", "analog", "trained for the link", 5.0, AWGN())
    without = AirNet(noise=False)
    assert without.about() == About("AirNet", "analog", "trained for the link")
    assert replace(without, fine_tuning=Recipe(epochs=0)).about().preparation == "as it is"


def test_a_spectrum_and_separate_networks_say_the_range_that_they_are_trained_over():
    assert AirNetSpectrum().about().train_snr_db == (-5.0, 15.0)
    member = AirNetSpectrum(member=2).about()
    assert (member.title, member.member, member.train_snr_db) == ("Member for 5 dB", 2, (2.5, 7.5))
    separate = SeparateNetworks(train_channel=Rayleigh()).about()
    assert (separate.train_snr_db, separate.train_channel) == ((-5.0, 10.0), Rayleigh())


def test_what_does_not_matter_to_people_does_not_matter_to_about():
    assert AirNet(normalisation=Normalisation("frozen")).about() == AirNet().about()


def test_a_scheme_without_a_title_is_refused():
    with pytest.raises(ValueError, match="needs a title"):
        About("")
