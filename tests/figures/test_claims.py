"""Verdicts on claims follow from tables."""

import pandas as pd
import pytest

from experiments.sweep import main as sweep
from figures.claims import CLAIMS, Comparison, Steepness
from figures.claims.__main__ import main, published
from figures.table import TableError


def measured(results, **accuracies: tuple[float, float]) -> pd.DataFrame:
    """A table of two SNRs with half-widths of one point."""
    table = results(tuple(accuracies), snr_db=(0.0, 5.0))
    accuracy = [accuracies[scheme][int(snr > 0)] for scheme, snr in zip(table["scheme"], table["snr_db"])]
    table = table.assign(accuracy=accuracy)
    for name in ("accuracy", "accuracy_channel"):
        table[f"{name}_low"], table[f"{name}_high"] = table["accuracy"] - 0.01, table["accuracy"] + 0.01
    return table


@pytest.mark.parametrize(
    ("mine", "answer"),
    [
        ((0.6, 0.8), "holds"),  # ahead at 0 dB, even at 5 dB
        ((0.6, 0.7), "holds in part"),  # ahead at 0 dB, behind at 5 dB
        ((0.5, 0.8), "does not hold here"),  # nowhere ahead by more than the interval
        ((0.4, 0.7), "does not hold here"),
    ],
)
def test_a_comparison_counts_where_the_interval_excludes_zero(results, mine, answer):
    table = measured(results, mine=mine, other=(0.5, 0.8))
    assert Comparison([("mine", "other")]).verdict(table).answer == answer


def test_as_good_as_within_a_point(results):
    table = measured(results, mine=(0.5, 0.8), other=(0.5, 0.8))
    assert Comparison([("mine", "other")], within=2.0).verdict(table).answer == "holds"
    assert "+0.0 [-1.4, +1.4] at 0 dB" in Comparison([("mine", "other")]).verdict(table).evidence


def test_steepness_is_the_greatest_fall(results):
    table = measured(results, mine=(0.6, 0.8), other=(0.1, 0.8))
    verdict = Steepness("mine", "other").verdict(table)
    assert verdict.answer == "holds"
    assert "20.0 points" in verdict.evidence
    assert "70.0 (below 5 dB)" in verdict.evidence
    assert Steepness("other", "mine").verdict(table).answer == "does not hold here"


def test_a_scheme_that_is_missing_is_named(results):
    with pytest.raises(TableError, match="needs the scheme airnet, the table has clean, noise"):
        Comparison([("airnet", "clean")]).verdict(results())


@pytest.mark.parametrize("name", sorted(CLAIMS))
def test_every_claim_is_judged_from_a_published_table(name):
    verdict = CLAIMS[name].judgement.verdict(published(CLAIMS[name], "cifar10"))
    assert " dB" in verdict.evidence


@pytest.mark.parametrize("name", sorted(CLAIMS))
def test_every_claim_s_command_composes(name, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    sweep([*CLAIMS[name].command("digits"), "--dry-run"])
    assert "cells" in capsys.readouterr().out


def test_the_command_prints_the_verdict_and_where_the_picture_is(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr("figures.claims.__main__.OUT", tmp_path)
    main(["protection", "--published"])
    said = capsys.readouterr().out
    assert "Unequal protection" in said
    assert (tmp_path / "claims/protection/protection.png").is_file()
    with pytest.raises(SystemExit, match="did you mean protection"):
        main(["protecton"])
