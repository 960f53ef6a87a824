"""A sender that holds updates beside whole networks compares them in one currency."""

import pytest
import torch

from airdeliver import AnalogLink, DigitalLink, evaluate
from airdeliver.delivery import send
from airdeliver.links import Knowledge
from airdeliver.schemes import Best, Updated, best
from airdeliver.updates import Difference, LastLayers
from channels import AWGN, Rayleigh

TIGHT, AMPLE = 1_500, 30_000
CAPACITY = DigitalLink("capacity")


@pytest.fixture(scope="module")
def singles():
    return {
        "whole": Updated(form=None, link=CAPACITY),
        "difference": Updated(form=Difference(), link=CAPACITY),
        "last layer": Updated(form=LastLayers(), link=AnalogLink(protection="size")),
    }


@pytest.fixture(scope="module")
def trained(problem, singles):
    found = {}
    for scheme in singles.values():
        for training in scheme.trainings(problem, TIGHT):
            if training not in found:
                found[training] = training.run(problem.task, found)
    return found


@pytest.fixture(scope="module")
def packages(problem, singles, trained):
    sender = Best(schemes=list(singles.values()), table_snr_db=(-5.0, 5.0, 20.0), table_realizations=2)
    with pytest.MonkeyPatch.context() as coarse:
        coarse.setattr(best, "UNTRAINED", best.UNTRAINED[::3])
        return {uses: sender.pack(problem, trained, uses) for uses in (TIGHT, AMPLE)}


def test_updates_and_whole_networks_promise_scores(packages):
    known = Knowledge("average", 10.0, AWGN())
    whole, difference, last_layer = (float(c.prospect(known, TIGHT)) for c in packages[TIGHT].choices)
    assert whole < 0.5 < min(difference, last_layer)
    roomy = [float(choice.prospect(known, AMPLE)) for choice in packages[AMPLE].choices]
    assert roomy[0] > whole + 0.2
    assert roomy[0] == pytest.approx(roomy[1], abs=0.05)  # the same network, where rate is no matter


def test_where_nothing_arrives_the_version_that_is_held_still_serves(packages):
    """Over slow fading of -20 dB a whole network is worth a guess, a digital update the earlier network."""
    known = Knowledge("average", -20.0, Rayleigh())
    whole, difference, *_ = (float(choice.prospect(known, AMPLE)) for choice in packages[AMPLE].choices)
    assert whole < 0.2 < 0.5 < difference


@pytest.mark.parametrize("uses", [TIGHT, AMPLE])
def test_delivered_it_is_within_its_interval_of_the_best_that_it_holds(uses, packages, problem, singles, trained):
    data = problem.task.dataset
    raw, targets = data.test.take(torch.arange(len(data.test)))
    each = [*(s.pack(problem, trained, uses) for s in singles.values()), packages[uses]]
    sent = (send(package, AWGN(), 5.0, uses, "average", 4, 0) for package in each)
    *others, chosen = (evaluate(delivery, data.prepare(raw), targets, task=problem.task) for delivery in sent)
    assert chosen.high >= max(report.accuracy for report in others)


def test_a_worth_that_was_given_stays(problem, singles, trained, packages):
    """An update alone is sent by the measure that its link has; held among others, by its score."""
    alone = singles["difference"].pack(problem, trained, AMPLE).choices[0].link.worth
    among = packages[AMPLE].choices[1].link.worth
    assert alone.points == ()
    assert len(among.points) >= 4  # those that it was tried out at, and lower ones while they are worth something
    assert among.chance > 0.5
