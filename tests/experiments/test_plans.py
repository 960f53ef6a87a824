"""What each segment got of the channel, beside the table of results."""

import pandas as pd
import pytest

from experiments.plans import FILE, main


def test_every_cell_has_a_plan_of_all_that_it_sent(undisturbed):
    plans = pd.read_parquet(undisturbed.folder / FILE)
    for row in undisturbed.table.to_dict("records"):
        segments = plans[(plans["scheme"] == row["scheme"]) & (plans["snr_db"] == row["snr_db"])]
        assert segments["parameters"].sum() == row["parameters_sent"]
        assert (segments["uses_per_parameter"] * segments["parameters"]).sum() <= row["channel_uses_spent"]


def test_plans_are_printed(undisturbed, capsys):
    main([str(undisturbed.folder), "--scheme", "noise", "--snr-db", "10"])
    printed = capsys.readouterr().out
    assert printed.count("scheme noise") == 1
    assert "0.weight" in printed


def test_what_is_not_there_is_named(undisturbed, tmp_path):
    with pytest.raises(SystemExit, match="no plan with scheme airnot: it has clean, noise"):
        main([str(undisturbed.folder), "--scheme", "airnot"])
    with pytest.raises(SystemExit, match="give the folder of a sweep"):
        main([str(tmp_path)])
