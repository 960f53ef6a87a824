"""One sender for all that it knows: what it compares, and that it takes what promises most."""

import pytest
import torch

from airdeliver import BudgetError, DigitalLink, Normalisation, evaluate
from airdeliver.delivery import send
from airdeliver.links import Knowledge
from airdeliver.schemes import Best, Clean, Digital, Noise
from airdeliver.schemes.best import room
from channels import AWGN, Multicast, Rayleigh

USES = 10_000


def held(*schemes, **more):
    return Best(schemes=schemes, table_snr_db=(-5.0, 5.0, 20.0), table_realizations=2, **more)


@pytest.fixture(scope="module")
def package(problem, clean):
    return held(Clean(), Digital(link=DigitalLink("capacity"))).pack(problem, clean, USES)


def test_choices_of_all_schemes_promise_a_score(package, problem):
    assert len(package.choices) == 2
    for channel in (AWGN(), Rayleigh(), Multicast(Rayleigh(), receivers=2)):
        for choice in package.choices:
            low, high = (float(choice.prospect(Knowledge("average", db, channel), USES)) for db in (-5.0, 20.0))
            assert 0.05 < low < high <= 1.0


def test_schemes_with_tables_of_their_own_promise_over_the_same_snrs(problem, clean):
    """A table that ends at 5 dB promises below it what it has there: a fade would cost nothing."""
    (choice,) = held(Best(schemes=[Clean()], table_snr_db=(5.0, 20.0))).pack(problem, clean, USES).choices
    assert choice.expectation.table.snr_db == (-5.0, 5.0, 20.0)
    assert len(choice.expectation.table.accuracy[0]) == 3


def test_what_promises_most_is_chosen(package):
    for db in (-5.0, 5.0, 20.0):
        known = Knowledge("average", db, Rayleigh())
        promised = [float(choice.prospect(known, USES)) for choice in package.choices]
        assert int(package.select(known, USES)) == promised.index(max(promised))


def test_a_sender_that_knows_the_channel_chooses_for_each_transmission(package):
    generator = torch.Generator().manual_seed(0)
    state = Rayleigh().realize(8, 1, 5.0, generator)
    chosen = package.select(Knowledge("instantaneous", 5.0, Rayleigh(), state), USES)
    assert len(chosen) == 8


def test_trainings_are_those_of_all_schemes_each_once(problem):
    assert held(Clean(), Digital()).trainings(problem, USES) == Clean().trainings(problem, USES)


def test_what_does_not_fit_is_left_out_and_nothing_at_all_is_a_budget_error(problem, clean):
    assert held(Clean(), Digital()).misfit(problem, 5_000) is None
    assert held(Clean()).misfit(problem, 5_000)
    with pytest.raises(BudgetError, match="nothing fits into 5000 symbols"):
        held(Clean()).pack(problem, clean, 5_000)


def test_schemes_of_another_normalisation_are_refused():
    with pytest.raises(ValueError, match="Clean has Normalisation"):
        held(Clean(normalisation=Normalisation("frozen")))
    with pytest.raises(ValueError, match="needs schemes to choose from"):
        held()


def test_one_thing_for_all_is_worth_no_more_than_the_best_for_each(package):
    left = room(package, Rayleigh(), 5.0, USES)
    assert 0.1 < left.one <= left.each + 0.02 < 1.02  # both are means over draws of their own
    assert left.gain == left.each - left.one


@pytest.fixture(scope="module")
def three(problem, clean):
    """Packages of an analog network as it is, one trained through the link, a digital one; and of all of them."""
    singles = Clean(), Noise(train_snr_db=(-5.0, 10.0)), Digital(link=DigitalLink("capacity"))
    (through,) = singles[1].trainings(problem, USES)
    trained = {**clean, through: through.run(problem.task, clean)}
    return [scheme.pack(problem, trained, USES) for scheme in (*singles, held(*singles))]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("channel", "snr_db"), [(AWGN(), 0.0), (AWGN(), 10.0), (Rayleigh(), 5.0), (Multicast(Rayleigh(), receivers=2), 5.0)]
)
def test_delivered_it_is_within_its_interval_of_the_best_that_it_holds(three, problem, channel, snr_db):
    """The choice was made on validation inputs and other noise; the score is that of test inputs."""
    data = problem.task.dataset
    raw, targets = data.test.take(torch.arange(len(data.test)))
    sent = (send(package, channel, snr_db, USES, "average", 16, 0) for package in three)
    *singles, best = (evaluate(delivery, data.prepare(raw), targets, task=problem.task) for delivery in sent)
    assert best.high >= max(report.accuracy for report in singles)


def test_it_is_neither_analog_nor_digital():
    assert held(Clean()).about().side == "mixed"
