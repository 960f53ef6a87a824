"""Forms of updates: what is packed is what is unpacked, and a projection is the nearest change that can be sent."""

import pytest
import torch
from torch import nn

from airdeliver import AnalogLink, DigitalLink
from airdeliver.delivery import send
from airdeliver.links import BudgetError
from airdeliver.normalisation import Normalisation
from airdeliver.package import Package
from airdeliver.payload import layout_of, values_of
from airdeliver.schemes import UpdateChoice
from airdeliver.training import Trained
from airdeliver.updates import Difference, LastLayers, LowRank, MostChanged, Update
from airdeliver.updates.architecture import digest
from channels import AWGN, Rayleigh

FORMS = [Difference(), LastLayers(), LastLayers(2), LowRank(1), LowRank(3), MostChanged(0.3), MostChanged(1.0)]


def network(seed: int = 0) -> nn.Module:
    torch.manual_seed(seed)
    return nn.Sequential(nn.Conv2d(1, 6, 3), nn.BatchNorm2d(6), nn.ReLU(), nn.Flatten(), nn.Linear(6 * 36, 10))


@pytest.fixture(scope="module")
def versions() -> tuple[Trained, Trained]:
    """Two versions of one network; the later one is the earlier one with a tenth of another's values."""
    earlier = Trained.of(network())
    model, other = earlier.model(), network(1)
    with torch.no_grad():
        for parameter, more in zip(model.parameters(), other.parameters(), strict=True):
            parameter += 0.1 * more
    return earlier, earlier.holding(model)


@pytest.mark.parametrize("form", FORMS, ids=str)
def test_a_projected_change_arrives_as_it_is(form):
    layout = layout_of(network(), statistics=False)
    change = torch.randn(layout.size, generator=torch.Generator().manual_seed(0))
    sendable = form.project(change, layout)
    description = form.describe(sendable, layout)
    sent = form.sent(layout, description)
    values = form.pack(sendable, layout, description)
    assert len(values) == sent.size <= layout.size
    torch.testing.assert_close(form.unpack(values[None].repeat(2, 1), layout, description)[1], sendable)
    torch.testing.assert_close(form.project(sendable, layout), sendable)
    # The nearest one: what is left is no larger than the change, and orthogonal to what is sent.
    assert float((change - sendable) @ sendable) == pytest.approx(0, abs=1e-2)


def test_the_most_changed_rows_are_those_of_greatest_mean_square():
    layout = layout_of(nn.Linear(4, 6), statistics=False)
    change = torch.zeros(layout.size)
    change[4:8], change[20:24] = 2.0, 1.0
    description = MostChanged(0.3).describe(change, layout)
    assert description == bytes([0b01000100])
    assert MostChanged(0.3).sent(layout, description).segments[0].shape == (2, 4)
    with pytest.raises(ValueError, match="7 rows needs 1 bytes that say which, got 2"):
        MostChanged(0.3).sent(layout, b"ab")


@pytest.mark.parametrize("form", FORMS, ids=str)
@pytest.mark.parametrize("link", [AnalogLink(), DigitalLink("capacity")], ids=["analog", "digital"])
def test_a_receiver_of_the_earlier_version_has_the_later_one(versions, form, link):
    """At 40 dB what arrives is the earlier version with the change that the form can send."""
    earlier, later = versions
    choice = UpdateChoice.between(earlier, later, form, link)
    delivery = send(Package((choice,), Normalisation()), AWGN(), 40.0, 6_000, "average", 2, 0)
    layout = layout_of(network(), statistics=False)
    before, after = (values_of(v.model(), layout) for v in versions)
    wanted = form.project(after - before, layout)
    got = values_of(delivery.model(1), layout) - before
    assert float((got - wanted).square().mean()) < 2e-3 * float((after - before).square().mean())
    assert delivery.parameters_sent == choice.payload.layout.size


def test_who_gets_nothing_keeps_the_version_that_it_holds(versions):
    """In deep fades, where nothing usable arrives of an update."""
    earlier, later = versions
    package = Package((UpdateChoice.between(earlier, later, Difference(), AnalogLink()),), Normalisation())
    delivery = send(package, Rayleigh(), -8.0, 3_000, "average", 32, 0)
    layout = layout_of(network(), statistics=False)
    held = values_of(earlier.model(), layout)
    same = [torch.equal(delivery.groups[0].decoded.values[row], held) for row in range(16)]
    assert 0 < sum(same) < 16
    assert delivery.usable == 1


def test_updates_are_equal_where_the_earlier_versions_are(versions):
    """The base is compared by its content, wherever it lies, and is part of the recipe."""
    earlier, later = versions
    whole = earlier.architecture
    one, same, other = (
        Update(whole, b"", LowRank(), base=tensors)
        for tensors in (earlier.tensors, {n: t.clone() for n, t in earlier.tensors.items()}, later.tensors)
    )
    assert one == same != other
    assert hash(one) == hash(same)
    assert one.digest == digest(earlier.tensors)
    received = one.receive(b"").state_dict()
    assert all(torch.equal(received[name], tensor) for name, tensor in earlier.tensors.items())


def test_an_update_takes_a_budget_in_which_the_whole_network_does_not_fit(versions):
    earlier, later = versions
    whole = Package((UpdateChoice.between(earlier, later, Difference(), AnalogLink()),), Normalisation())
    with pytest.raises(BudgetError):
        send(whole, AWGN(), 10.0, 900, "average", 1, 0)
    small = UpdateChoice.between(earlier, later, MostChanged(0.1), AnalogLink())
    assert send(Package((small,), Normalisation()), AWGN(), 10.0, 900, "average", 1, 0).channel_uses_spent <= 900
