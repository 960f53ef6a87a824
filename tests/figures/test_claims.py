"""Verdicts on claims follow from tables."""

import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml

from experiments.sweep import main as sweep
from figures.claims import CLAIMS, GROUPS, Bars, Comparison, Cost, Difference, Steepness
from figures.claims.__main__ import main
from figures.claims.chance import NearChance
from figures.claims.page import NONE_YET, page
from figures.claims.pairing import over_pairs, prepared
from figures.claims.robustness import Robustness
from figures.claims.share import Shares
from figures.claims.spread import Spread
from figures.claims.tables import PUBLISHED, minutes, published
from figures.table import TableError

CONF = Path(__file__).parents[2] / "experiments" / "conf" / "experiment"


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
    assert re.search(r"loses at most 20.0 \[\d+.\d, \d+.\d\] points", verdict.evidence)
    assert re.search(r"70.0 \[\d+.\d, \d+.\d\] \(below 5 dB\)", verdict.evidence)
    assert Steepness("other", "mine").verdict(table).answer == "does not hold here"


def test_a_scheme_that_is_missing_is_named(results):
    with pytest.raises(TableError, match="needs the scheme airnet, the table has clean, noise"):
        Comparison([("airnet", "clean")]).verdict(results())


def trained(results, **accuracies: tuple[float, ...]) -> pd.DataFrame:
    """A table of one SNR, 20 dB, with the accuracy of each seed; costs that fall from scheme to scheme."""
    seeds = tuple(range(len(next(iter(accuracies.values())))))
    table = results(tuple(accuracies), snr_db=(20.0,), seeds=seeds)
    table = table.assign(accuracy=[accuracies[scheme][seed] for scheme, seed in zip(table["scheme"], table["seed"])])
    for name in ("accuracy", "accuracy_channel"):
        table[f"{name}_low"], table[f"{name}_high"] = table["accuracy"] - 0.01, table["accuracy"] + 0.01
    number = table["scheme"].map({scheme: i for i, scheme in enumerate(accuracies)})
    return prepared(table.assign(macs=100.0 - 20 * number, mean_iou=table["accuracy"] / 2, floor=0.1))


def test_several_seeds_are_paired(results):
    """Seeds that rise and fall together have a sharp difference, however much they differ among themselves."""
    table = trained(results, mine=(0.5, 0.7, 0.9), other=(0.48, 0.68, 0.88))
    assert "+2.0 [+2.0, +2.0] at 20 dB" in Comparison([("mine", "other")]).verdict(table).evidence
    from experiments.comparisons import paired

    one, other = [0.5, 0.6, 0.9], [0.4, 0.7, 0.5]
    wide = trained(results, mine=tuple(one), other=tuple(other))
    _, mean, low, high = paired(one, other)
    said = Difference("mine against other", [("mine", "other")]).measured(wide).said
    assert f"{100 * mean:+.1f} [{100 * low:+.1f}, {100 * high:+.1f}] points at 20 dB" in said
    assert over_pairs([mean], [low], [high]) == (mean, low, high)


@pytest.mark.parametrize(
    ("mine", "bar", "answer"),
    [
        ((0.70, 0.71, 0.72), 0.0, "holds"),
        ((0.70, 0.71, 0.72), 50.0, "does not hold here"),
        ((0.50, 0.71, 0.90), 0.0, "undecided here"),
    ],
)
def test_a_bar_is_met_where_the_whole_interval_is(results, mine, bar, answer):
    table = trained(results, mine=mine, other=(0.6, 0.6, 0.6))
    verdict = Bars([Difference("mine against other", [("mine", "other")], bar)]).verdict(table)
    assert verdict.answer == answer
    assert verdict.evidence.endswith("(3 trainings of each)")


def test_some_bars_are_met_in_part_and_what_a_table_lacks_is_open(results):
    table = trained(results, mine=(0.7, 0.7), other=(0.6, 0.6))
    good, bad, lacking = (
        Difference("it", [("mine", name)], bar) for name, bar in (("other", 0), ("other", 50), ("x", 0))
    )
    assert Bars([good, bad]).verdict(table).answer == "holds in part"
    assert "not in the table: open" in Bars([good, lacking]).verdict(table).evidence
    with pytest.raises(TableError, match="needs the scheme x"):
        Bars([lacking]).verdict(table)


def test_a_cost_that_is_too_high_misses_the_bar(results):
    table = trained(results, dear=(0.7, 0.7), cheap=(0.6, 0.6))
    cost = Cost("macs", 1.0, "operations")
    assert Difference("it", [("dear", "cheap")], cost=cost).measured(table).met is False
    assert Difference("it", [("cheap", "dear")], -20.0, cost=cost).measured(table).met is True
    assert "80 % of the operations" in Difference("it", [("cheap", "dear")], cost=cost).measured(table).said
    with pytest.raises(TableError, match="column joules"):
        Difference("it", [("cheap", "dear")], cost=Cost("joules", 1.0, "energy")).measured(table)


def test_another_column_has_an_interval_over_seeds_alone(results):
    several = trained(results, mine=(0.7, 0.7), other=(0.6, 0.6))
    assert "+5.0 [+5.0, +5.0]" in Difference("it", [("mine", "other")], column="mean_iou").measured(several).said
    one = Difference("it", [("mine", "other")], column="mean_iou").measured(several[several["seed"] == 0])
    assert one.met is None


def test_the_best_and_the_worst_are_compared(results):
    table = trained(results, a=(0.7, 0.7), b=(0.69, 0.69), c=(0.66, 0.66))
    assert Spread("all", ["a", "b", "c"], 3.0).measured(table).met is False
    assert Spread("two", ["a", "b"], 3.0).measured(table).met is True


def test_who_lacks_the_key_is_near_chance(results):
    table = trained(results, a=(0.101, 0.099), b=(0.102, 0.098), c=(0.5, 0.5))
    assert NearChance("with a wrong key", ["a", "b"], 1.0).measured(table).met is True
    assert NearChance("with a wrong key", ["c"], 1.0).measured(table).met is False


def test_zeros_that_save_less_of_one_cost_than_of_another(results):
    table = trained(results, a=(0.7,)).assign(effective_macs=20.0, parameters=1000.0, nonzeros=100.0)
    cost = (("effective_macs", "macs"), ("nonzeros", "parameters"))
    assert Shares("it", ["a"], *cost).measured(table).met is True
    assert Shares("it", ["a"], *reversed(cost)).measured(table).met is False


def test_who_loses_less_as_the_channel_gets_worse(results):
    table = results(("mine", "other"), channels=("exact", "worse"), snr_db=(20.0,), seeds=(0, 1, 2))
    lost = np.where(table["scheme"] == "mine", 0.1, 0.3) * (table["channel"] == "worse")
    table = prepared(
        table.assign(accuracy=0.9 - lost, accuracy_channel_low=0.89 - lost, accuracy_channel_high=0.91 - lost)
    )
    found = Robustness("it", "mine", "other", "exact", ["worse"]).measured(table)
    assert found.met is True
    assert "mine loses 10.0, other 30.0 points, +20.0 [+20.0, +20.0] more" in found.said
    with pytest.raises(TableError, match="needs the channel worst"):
        Robustness("it", "mine", "other", "exact", ["worst"]).measured(table)


def has(name: str, dataset: str) -> bool:
    return all((PUBLISHED / f"{table}.csv").is_file() for table in CLAIMS[name].published(dataset))


@pytest.mark.parametrize("dataset", ["cifar10", "digits"])
@pytest.mark.parametrize("name", sorted(CLAIMS))
def test_every_claim_is_judged_from_its_published_table(name, dataset):
    claim = CLAIMS[name]
    if not has(name, dataset):
        with pytest.raises(TableError, match="is published yet"):
            published(claim, dataset)
        return
    table = published(claim, dataset)
    try:
        evidence = claim.judgement.verdict(table).evidence
    except TableError as error:  # the published table was made with others of the experiment's schemes
        evidence = str(error)
    assert any(unit in evidence for unit in (" points", "keeps", "needs the scheme"))
    assert 0 < minutes(claim, table) < 24 * 60


def test_every_system_of_the_plan_has_a_claim():
    systems = {"usnets", "fjord", "mutualnet", "spnet", "paradis", "exits", "split", "drnet", "slimseg", "planes",
               "rigl", "ghost", "takd", "mgic", "quantisers", "tasks", "cost"}  # fmt: skip
    assert systems | {"estimation"} <= set(CLAIMS)
    assert all(claim.name == name for name, claim in CLAIMS.items())


def named(experiment: str) -> set[str]:
    """The schemes that an experiment's configuration has."""
    content = yaml.safe_load((CONF / f"{experiment}.yaml").read_text())
    own = {
        key.rsplit(".", 1)[1] for entry in content["defaults"] if isinstance(entry, dict) for key in entry if "@" in key
    }
    return own | set(content.get("scheme") or {}) | {path.stem for path in (CONF.parent / "scheme").glob("*.yaml")}


@pytest.mark.parametrize("name", sorted(CLAIMS))
def test_every_claim_s_sweep_has_the_schemes_that_it_is_judged_by(name):
    claim = CLAIMS[name]
    there = named(claim.experiment)
    chosen = next((part for part in claim.arguments if part.startswith("scheme=[")), None)
    swept = set(chosen.removeprefix("scheme=[").removesuffix("]").split(",")) if chosen else there
    assert swept <= there
    lacking = {scheme.rstrip("*") for scheme in claim.judgement.schemes} - swept
    # Two that the published tables were shortened by: without them these bars are open, and say so.
    assert lacking <= {"planes": {"eight_bits"}, "tasks": {"signs_7"}}.get(name, set())


@pytest.mark.parametrize("name", ["noise", "slimseg"])
def test_claims_commands_compose(name, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    sweep([*CLAIMS[name].command("digits"), "--dry-run"])
    assert "cells" in capsys.readouterr().out


def test_reproducing_a_claim_runs_its_command_and_judges_its_table(tmp_path, monkeypatch, capsys, results):
    table = trained(results, student=(0.5, 0.6), student_kd=(0.7, 0.8), student_assistant=(0.7, 0.8),
                    student_takd=(0.8, 0.9))  # fmt: skip
    ran = []

    def instead(arguments: list[str]) -> None:
        ran.append(arguments)
        (tmp_path / "claim_compact_digits").mkdir()
        table.assign(experiment="compact", nonzeros=1.0).to_parquet(tmp_path / "claim_compact_digits/results.parquet")

    monkeypatch.setattr("experiments.sweep.main", instead)
    monkeypatch.setattr("figures.claims.__main__.OUT", tmp_path)
    main(["takd", "--runs", str(tmp_path), "--set", "engine=serial"])
    (arguments,) = ran
    folder = tmp_path / "claim_compact_digits"
    assert arguments == [*CLAIMS["takd"].command("digits"), "engine=serial", f"hydra.run.dir={folder}"]
    assert "takd: Distillation helps" in (said := capsys.readouterr().out)
    assert "  holds: teacher, assistant, student against" in said


def test_the_page_has_every_claim_with_source_command_time_and_verdict():
    text = page(GROUPS, lambda name: f"generated/{name}.png")
    for name, claim in CLAIMS.items():
        section = text.split(f"### {name}\n")[1].split("\n### ")[0]
        assert claim.says in section
        assert claim.source in section
        assert f"make reproduce CLAIM={name}" in section
        told = [has(name, dataset) for dataset in ("cifar10", "digits")]
        assert section.count(NONE_YET) >= told.count(False)
        assert section.count("on two cores") <= told.count(True)
        assert ("![" in section) == ("on two cores" in section)


def test_the_command_prints_the_verdict_and_where_the_picture_is(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr("figures.claims.__main__.OUT", tmp_path)
    main(["protection", "--published"])
    said = capsys.readouterr().out
    assert "Unequal protection" in said
    assert "*" not in said
    assert (tmp_path / "claims/protection/protection.png").is_file()
    with pytest.raises(SystemExit, match="did you mean protection"):
        main(["protecton"])


def test_claims_on_resolutions_and_exits_have_experiments_of_their_own_for_larger_images():
    assert CLAIMS["exits"].command("cifar10")[0] == "experiment=exits_32"
    for name in ("drnet", "mutualnet"):
        assert CLAIMS[name].command("cifar10")[:2] == ["experiment=resolutions_32", "dataset=cifar10"]
        assert CLAIMS[name].published("cifar10") == ["cifar10_resolutions_32"]
        assert CLAIMS[name].published("digits") == ["digits_resolutions"]


def test_stars_are_explained_and_pictures_go_where_they_are_asked_for(tmp_path, capsys):
    main(["graceful", "--published", "--out", str(tmp_path / "here")])
    said = capsys.readouterr().out
    assert "AirNet*" in said
    assert "*: with settings that the command" in said
    assert len(re.findall(r"\[\d+.\d, \d+.\d\]", said)) == 2
    assert (tmp_path / "here/graceful/snr.png").is_file()
    (tmp_path / "file").touch()
    with pytest.raises(SystemExit, match=r"graceful: --out .*file.graceful cannot be made a folder"):
        main(["graceful", "--published", "--out", str(tmp_path / "file")])
