"""What each figure computes from the table."""

import math

import pandas as pd
import pytest

from airdeliver.cost.carrier import OVERHEAD, RESOURCE_BLOCKS, Carrier
from figures import (
    ablation,
    bandwidth,
    channels,
    city,
    elastic,
    estimation,
    fading,
    latency,
    mismatch,
    protection,
    resolutions,
    segmentation,
    snr,
    spectrum,
    winner,
)
from figures.looks import KNOWN
from figures.table import TableError


def about(table: pd.DataFrame, **columns: tuple) -> pd.DataFrame:
    """A table with what each of its schemes says of itself, one value a scheme."""
    schemes = list(dict.fromkeys(table["scheme"]))
    told = {name: table["scheme"].map(dict(zip(schemes, values, strict=True))) for name, values in columns.items()}
    return table.assign(**told)


def test_snr_draws_a_line_for_each_scheme(results):
    (axes,) = snr.draw(results(("clean", "noise_frozen"))).axes
    assert [container.get_label() for container in axes.containers] == ["clean", "noise frozen"]
    assert axes.get_xlabel() == "SNR (dB)"
    assert axes.get_ylabel() == "delivered accuracy (%)"


def test_bandwidth_counts_uses_for_each_parameter_of_the_largest_network(results):
    drawn = bandwidth.data(results(channel_uses=(7_229, 14_458)))
    assert drawn.groupby("channel_uses")["uses_per_parameter"].first().tolist() == [0.5, 1.0]


def test_mismatch_says_what_each_network_was_trained_at(results):
    table = results(("clean", "noise"))
    assert list(dict.fromkeys(mismatch.data(table)["trained"])) == ["trained without noise", "trained at 5 dB"]
    table = results(("noise", "noise_frozen")).assign(train_snr_db_low=0.0, train_snr_db_high=20.0)
    labels = list(dict.fromkeys(mismatch.data(table)["trained"]))
    assert labels == ["noise, trained at 0 to 20 dB", "noise frozen, trained at 0 to 20 dB"]


def test_gain_is_against_the_first_scheme_with_the_root_of_both_squares(results):
    table = results(("equal", "power"), snr_db=(0.0,))
    drawn = protection.data(table).set_index("scheme")
    first, second = table.set_index("scheme").loc["equal"], table.set_index("scheme").loc["power"]
    assert drawn.loc["equal", ["gain", "gain_low", "gain_high"]].tolist() == [0, 0, 0]
    assert drawn.loc["power", "gain"] == pytest.approx(second["accuracy"] - first["accuracy"])
    halves = [row["accuracy_channel_high"] - row["accuracy"] for row in (first, second)]
    expected = drawn.loc["power", "gain"] + sum(half**2 for half in halves) ** 0.5
    assert drawn.loc["power", "gain_high"] == pytest.approx(expected)


def test_winner_is_the_best_and_its_lead_is_over_the_second(results):
    table = results(("a", "b", "c"), snr_db=(5.0,))
    table["accuracy"] = [0.5, 0.8, 0.7]
    table["accuracy_low"], table["accuracy_high"] = table["accuracy"] - 0.04, table["accuracy"] + 0.03
    (row,) = winner.data(table).to_dict("records")
    assert (row["winner"], row["second"]) == ("b", "c")
    assert row["lead"] == pytest.approx(0.1)
    assert row["lead_low"] == pytest.approx(0.1 - 0.05)
    (axes,) = winner.draw(table).axes
    assert [text.get_text() for text in axes.texts] == ["10.0"]


def test_a_lead_within_its_interval_stands_in_brackets(results):
    table = results(("a", "b"), snr_db=(5.0,)).assign(accuracy=[0.5, 0.501])
    table["accuracy_low"], table["accuracy_high"] = table["accuracy"] - 0.04, table["accuracy"] + 0.04
    (axes,) = winner.draw(table).axes
    assert [text.get_text() for text in axes.texts] == ["(0.1)"]


def test_networks_as_they_are_and_trained_ones_compete_apart_and_the_limit_with_nobody(results):
    schemes = ("clean", "digital_adaptive", "digital_capacity", "airnet", "digital_qat_adaptive")
    table = about(
        results(schemes, snr_db=(5.0,), channels=("awgn", "rayleigh")),
        side=("analog", "digital", "digital", "analog", "digital"),
        preparation=("as it is",) * 3 + ("trained for the link",) * 2,
        limit=(False, False, True, False, False),
    )
    accuracy = dict(zip(schemes, (0.6, 0.4, 0.9, 0.7, 0.8)))
    table["accuracy"] = table["scheme"].map(accuracy)
    table["accuracy_low"], table["accuracy_high"] = table["accuracy"] - 0.04, table["accuracy"] + 0.04
    drawn = winner.data(table)
    as_it_is, trained = (rows for _, rows in drawn.groupby("prepared"))
    assert set(as_it_is["winner"]) == {"clean"}
    assert as_it_is["limit"].tolist() == pytest.approx([0.3, 0.3])
    assert set(trained["winner"]) == {"digital_qat_adaptive"}
    assert trained["limit"].isna().all()
    panels = winner.draw(table).axes
    assert [panel.get_title() for panel in panels[:2]] == [
        "SNR known\nnetwork as it is\nahead for sure: analog 1, digital 0 of 1",
        "SNR known\nnetwork trained for the link\nahead for sure: analog 0, digital 1 of 1",
    ]
    assert [text.get_text() for text in panels[0].texts] == ["20.0\n+30.0"]


def test_a_digital_scheme_of_ones_own_is_on_the_digital_side_and_the_lead_is_over_the_other(results):
    """Whatever it is called: second is the best of the other side, not the one that comes next."""
    table = results(("mine", "yours", "airnet"), snr_db=(5.0,)).assign(accuracy=[0.9, 0.8, 0.7])
    table["accuracy_low"], table["accuracy_high"] = table["accuracy"] - 0.01, table["accuracy"] + 0.01
    (row,) = winner.data(about(table, side=("digital", "digital", "analog"))).to_dict("records")
    assert (row["winner"], row["second"]) == ("mine", "airnet")
    (row,) = winner.data(table).to_dict("records")  # an old table knows no sides
    assert (row["winner"], row["second"]) == ("mine", "yours")


def test_titles_are_drawn_and_not_identifiers(results):
    table = about(results(("airnet", "airnet_no_kd")), title=("AirNet", "AirNet without distillation"))
    (axes,) = snr.draw(table).axes
    assert [c.get_label() for c in axes.containers] == ["AirNet", "AirNet without distillation"]
    figure = ablation.draw(table)
    assert [label.get_text() for label in figure.axes[0].get_yticklabels()] == ["AirNet without distillation"]
    assert figure.get_suptitle() == "difference to AirNet in delivered accuracy"
    right = protection.draw(table).axes[1]
    assert (right.get_ylabel(), right.get_title()) == ("gain (points)", "gain over AirNet")
    drawn = channels.draw(table.assign(channel="awgn")).axes
    assert [panel.get_title() for panel in drawn] == ["AirNet", "AirNet without distillation"]


def test_schemes_of_the_same_title_are_told_apart_by_their_names(results):
    table = about(results(("airnet", "wide_one", "clean")), title=("AirNet", "AirNet", "Clean"))
    (axes,) = snr.draw(table).axes
    assert [c.get_label() for c in axes.containers] == ["AirNet (airnet)", "AirNet (wide one)", "Clean"]


def test_another_score_has_its_own_name_unit_and_axis(results):
    """Coefficients of determination have no least value: an axis does not follow them down to where nothing works."""
    scored = {"metric": "R²", "score_low": -math.inf, "score_high": 1.0, "floor": 0.0}
    table = results(snr_db=(0.0, 5.0)).assign(**scored)
    table.loc[0, ["accuracy", "accuracy_low", "accuracy_high"]] = -40.0, -50.0, -30.0
    (axes,) = snr.draw(table).axes
    assert axes.get_ylabel() == "delivered R²"
    assert axes.get_ylim() == (-1.0, 1.06)
    assert snr.data(table)["accuracy_low"].min() == -50.0
    right = protection.draw(table).axes[1]
    assert (right.get_ylabel(), right.get_title()) == ("gain (R²)", "gain over clean")
    assert ablation.draw(table).axes[0].get_xlabel() == "R²"
    lead = winner.draw(results(("a", "b"), snr_db=(5.0,)).assign(**scored, accuracy=[0.5, 0.9])).axes[0].texts[0]
    assert lead.get_text() == "0.4"


def test_two_scores_share_no_panel(results):
    table = results().assign(metric=lambda t: t["scheme"].map({"clean": "accuracy", "noise": "mean IoU"}))
    with pytest.raises(TableError, match="one panel would show accuracy and mean IoU"):
        snr.draw(table)


def test_outage_of_an_unbounded_score_is_counted_from_its_floor(results, deliveries):
    scored = {"metric": "R²", "score_low": -math.inf, "score_high": 1.0, "floor": 0.2}
    table = deliveries(results(("noise",), snr_db=(0.0, 10.0))).assign(**scored)
    best = table.groupby("snr_db")["accuracy"].mean().max()
    assert set(fading.data(table)["target"]) == {round(0.2 + 0.9 * (best - 0.2), 2)}
    assert fading.draw(table).axes[1].get_ylabel().startswith("outage: P(R² < ")


def test_winner_of_one_scheme_is_refused(results):
    with pytest.raises(TableError, match="two schemes at the same place"):
        winner.draw(results(("a",)))


def test_fading_counts_deliveries_below_the_target(results, deliveries):
    table = deliveries(results(("noise",), snr_db=(0.0, 10.0)))
    drawn = fading.data(table).set_index("snr_db")
    assert drawn["target"].nunique() == 1
    assert drawn["target"].iloc[0] == round(0.9 * table.groupby("snr_db")["accuracy"].mean().max(), 2)
    for snr_db, own in table.groupby("snr_db"):
        assert drawn.loc[snr_db, "outage"] == (own["accuracy"] < drawn["target"].iloc[0]).mean()
        assert drawn.loc[snr_db, "outage_low"] <= drawn.loc[snr_db, "outage"] <= drawn.loc[snr_db, "outage_high"]
        assert drawn.loc[snr_db, "quantile_0.50"] == pytest.approx(own["accuracy"].median())


def test_city_counts_a_transmission_for_all_once_and_one_for_each_as_often_as_there_are_receivers(results, deliveries):
    table = deliveries(results(("noise",), snr_db=(0.0,), knowledge=("none", "instantaneous")))
    drawn = city.data(table, receivers=50).set_index("knowledge")
    assert drawn["milliseconds"]["instantaneous"] == pytest.approx(50 * drawn["milliseconds"]["none"])
    own = table[table["knowledge"] == "none"]["accuracy"]
    assert drawn["mean"]["none"] == pytest.approx(own.mean())
    assert own.min() <= drawn["worst"]["none"] <= own.median() == pytest.approx(drawn["quantile_0.50"]["none"])


def test_spectrum_compares_what_is_held_if_the_table_says_so(results):
    table = results(("spectrum", "separate")).assign(parameters_stored=lambda t: t["scheme"].map(len) * 1_000)
    _, costs = spectrum.draw(table).axes
    heights = [bar.get_height() for bars in costs.containers for bar in bars]
    assert heights == pytest.approx([1, 1, 8 / 8, 13 / 10])
    assert costs.get_xticklabels()[0].get_text() == "parameters held"


def test_members_of_a_spectrum_are_thin_and_cost_nothing_of_their_own(results):
    """They are grey lines behind the others; bars are of what is held and trained, labelled with its amount."""
    schemes = ("spectrum", "separate", "small", "large")
    table = about(results(schemes), member=(math.nan, math.nan, 0.0, 1.0))
    curves, costs = spectrum.draw(table.assign(parameters_stored=250_000.0, train_seconds=600.0)).axes
    widths = {c.get_label(): c.lines[0].get_linewidth() for c in curves.containers}
    assert widths["small"] < widths["spectrum"] / 2
    assert len(costs.containers) == 2
    assert [text.get_text() for text in costs.texts] == ["1 MB", "10 min"] * 2


def test_resource_elements_of_a_carrier():
    """51 blocks of 12 subcarriers, 14 symbols in each of 2 slots a millisecond, 14 % overhead."""
    assert Carrier(20, 1).uses_per_millisecond == pytest.approx(51 * 12 * 14 * 2 * 0.86)
    assert Carrier(100, 3).uses_per_millisecond == pytest.approx(66 * 12 * 14 * 8 * 0.82)


def test_resource_blocks_fit_into_their_bandwidth_and_fill_it():
    """TS 38.101: guard bands take 1.7 to 21 % of the channel."""
    for numerology, blocks in RESOURCE_BLOCKS.items():
        for bandwidth_mhz, count in blocks.items():
            filled = count * 12 * 0.015 * 2**numerology / bandwidth_mhz
            assert 0.79 <= filled <= 0.983, (numerology, bandwidth_mhz)
    assert OVERHEAD.keys() == RESOURCE_BLOCKS.keys()


@pytest.mark.parametrize(("bandwidth_mhz", "numerology"), [(20, 4), (20, -1), (7, 1), (100, 0)])
def test_a_carrier_that_nr_does_not_have_is_refused(bandwidth_mhz, numerology):
    with pytest.raises(ValueError, match=r"numerology (must be|\d has carriers of)"):
        Carrier(bandwidth_mhz, numerology)


def test_latency_is_of_the_uses_that_were_spent(results):
    table = results(("clean",), channel_uses=(8_000,), snr_db=(10.0,))
    (row,) = latency.data(table, Carrier(20, 1)).to_dict("records")
    assert row["milliseconds"] == pytest.approx(7_900 / (51 * 12 * 14 * 2 * 0.86))
    (axes,) = latency.draw(table).axes
    references = {line.get_label(): line.get_xdata()[0] for line in axes.lines if str(line.get_label())[0] in "Tf"}
    assert math.isnan(references["TS 22.261 budget: 1 s (off the axis: 1,000 ms)"])
    assert references["float32 at 1.1 Gbit/s"] == pytest.approx(14_458 * 32 / 1.1e6)


def test_figures_of_a_published_table_are_those_of_the_parquet(results, tmp_path):
    table = results(seeds=(0, 1))
    table.to_csv(tmp_path / "snr.csv", index=False)
    pd.testing.assert_frame_equal(snr.data(pd.read_csv(tmp_path / "snr.csv")), snr.data(table))


def test_many_channels_are_spread_over_panels_each_with_the_first(results):
    names = tuple(f"channel_{i}" for i in range(12))
    figure = channels.draw(results(("noise",), channels=names))
    shown = [[container.get_label() for container in axes.containers] for axes in figure.axes]
    assert [len(labels) for labels in shown] == [7, 6]
    assert {labels[0] for labels in shown} == {"channel 0"}
    assert len({label for labels in shown for label in labels}) == 12


def test_members_of_one_family_are_one_line_over_each_cost(results):
    """Three members of one family and one of another, over channel uses and over multiply-accumulates."""
    schemes = ("a_0", "a_1", "a_2", "b_0")
    table = about(
        results(schemes, snr_db=(5.0,)),
        title=("A, width 0.25", "A, width 0.5", "A, width 1", "B"),
        family=("A", "A", "A", ""),
        channel_uses_spent=(100, 200, 400, 200),
        macs=(10.0, 40.0, 160.0, 40.0),
    )
    assert elastic.data(table)["family"].tolist() == ["A", "A", "A", "B"]
    left, right = elastic.draw(table).axes
    for axes, cost in ((left, [100, 200, 400]), (right, [10, 40, 160])):
        assert [container.get_label() for container in axes.containers] == ["A", "B"]
        assert axes.containers[0][0].get_xdata().tolist() == pytest.approx(cost, rel=0.05)


def test_mean_iou_has_the_interval_of_its_seeds(results):
    """Student's t over three seeds: 4.303 standard errors to each side; none where there is one seed."""
    table = results(("a", "b"), snr_db=(5.0,), seeds=(0, 1, 2))
    table = about(table, channel_uses_spent=(100, 200), macs=(10.0, 40.0), family=("A", "A"), title=("A 1", "A 2"))
    table = table.assign(mean_iou=[0.3, 0.4, 0.5, 0.6, 0.6, 0.6])
    drawn = segmentation.data(table)
    half = 4.303 * 0.1 / math.sqrt(3)
    assert drawn["mean_iou"].tolist() == pytest.approx([0.4, 0.6])
    assert (drawn["mean_iou_high"] - drawn["mean_iou"]).tolist() == pytest.approx([half, 0.0], abs=1e-3)
    alone = segmentation.data(table[table["seed"] == 0])
    assert (alone["mean_iou_low"] == alone["mean_iou_high"]).all()
    left, right = segmentation.draw(table).axes
    assert (left.get_ylabel(), right.get_ylabel()) == ("delivered accuracy (%)", "delivered mean IoU (%)")


def test_resolutions_are_drawn_for_those_that_choose_one(results):
    table = about(
        results(("drnet", "fixed"), snr_db=(5.0,), seeds=(0, 1)),
        macs=(10.0, 40.0),
        share_8px=(0.25, math.nan),
        share_4px=(0.75, math.nan),
    )
    left, right = resolutions.draw(table).axes
    assert [container.get_label() for container in left.containers] == ["drnet", "fixed"]
    assert [list(line.get_ydata()) for line in right.lines] == [[0.25, 0.75]]
    assert [label.get_text() for label in right.get_xticklabels()] == ["8px", "4px"]
    with pytest.raises(TableError, match="needs a column of shares"):
        resolutions.draw(table.drop(columns=["share_8px", "share_4px"]))


def test_a_scheme_has_one_look_in_every_figure(results):
    """Whatever is beside it, and in whichever order."""
    many = about(results(("a", "b", "c")), title=("Mine", "Digital", "AirNet"))
    few = about(results(("c",)), title=("AirNet",))
    colours = {c.get_label(): c[0].get_color() for c in snr.draw(many).axes[0].containers}
    (alone,) = snr.draw(few).axes[0].containers
    assert colours["AirNet"] == alone[0].get_color()
    assert len(set(colours.values())) == 3


def test_known_looks_are_told_apart_without_colour():
    schemes = [(look["marker"], str(look["linestyle"]), look.get("markerfacecolor")) for look in KNOWN.values()]
    # The two limits have no marker: they are lines that nobody measures on a real link.
    assert len(set(schemes)) == len(schemes) - 1


def test_the_axis_begins_below_the_least_and_says_per_cent(results):
    table = results(snr_db=(0.0, 5.0)).assign(accuracy=0.87, accuracy_low=0.83, accuracy_high=0.9)
    (axes,) = snr.draw(table).axes
    assert axes.get_ylim()[0] == 0.8
    assert axes.yaxis.get_major_formatter()(0.85) == "85"


def test_error_bars_of_coinciding_curves_stand_apart(results):
    table = results(("a", "b"), snr_db=(0.0, 20.0)).assign(accuracy=0.5, accuracy_low=0.4, accuracy_high=0.6)
    first, second = (container[0].get_xdata() for container in snr.draw(table).axes[0].containers)
    assert 0 < abs(first[0] - second[0]) < 1


def test_nobody_wins_at_the_floor(results):
    table = about(results(("a", "b"), snr_db=(5.0,)), side=("analog", "digital"))
    table = table.assign(accuracy=[0.1, 0.11], accuracy_low=0.08, accuracy_high=0.14, floor=0.1)
    (row,) = winner.data(table).to_dict("records")
    assert row["nobody"]
    assert not winner.draw(table).axes[0].texts


def test_nobody_wins_against_the_own_side(results):
    table = about(results(("a", "b"), snr_db=(5.0,)), side=("digital", "digital"))
    with pytest.raises(TableError, match="of two sides"):
        winner.data(table)


def test_what_all_of_a_figure_shares_stands_below_it(results):
    figure = snr.draw(results(seeds=(0, 1)))
    assert "2 seeds" in figure.get_supxlabel()
    assert "AWGN" in figure.get_supxlabel()


def test_estimation_draws_given_errors_apart_from_pilots(results):
    """Over the error where the receiver is given one, over the share of pilots where the error follows from them."""
    channels = ("slow_exact", "slow_error", "slow_pilots", "selective_pilots")
    table = results(("airnet", "digital"), snr_db=(10.0,), channels=channels)
    told = dict(zip(channels, ((0.0, 0.0, 0.0), (0.1, 0.0, 0.0), (math.nan, 0.04, 0.0), (math.nan, 0.04, 3e-7))))
    for place, name in enumerate(estimation.GAIN):
        table[name] = table["channel"].map({channel: values[place] for channel, values in told.items()})
    panels = estimation.draw(table).axes
    labels = [(panel.get_title().split("\n")[0], panel.get_xlabel().split(",")[0]) for panel in panels]
    assert labels == [
        ("frequency-selective fading", "pilots"),
        ("slow flat fading", "error of the estimate"),
        ("slow flat fading", "pilots"),
    ]
    assert list(panels[1].containers[0].lines[0].get_xdata()) == pytest.approx([0.0, 0.1], abs=0.005)


def test_gains_of_several_seeds_are_paired(results):
    """Seeds that rise and fall together: the gain is the same in each, so its interval is sharp."""
    table = results(("airnet", "clean"), snr_db=(5.0,), seeds=(0, 1, 2), experiment="ablation")
    rise = 0.1 * table["seed"]
    table = table.assign(accuracy=0.5 + rise - 0.02 * (table["scheme"] == "clean"))
    row = ablation.data(table).set_index("scheme").loc["clean"]
    assert [row[name] for name in ("gain", "gain_low", "gain_high")] == pytest.approx([-0.02] * 3)
