"""Pictures of costs."""

import pytest
from cost_cases import SIZE, works
from matplotlib.patches import Rectangle

from fspinn.memmodel import estimate
from fspinn.report.plots.costs import costs


def on(hardware):
    return estimate(SIZE, hardware, works(SIZE))


def lengths(axes):
    """Return the summed lengths of the bars of each row."""
    rows = {}
    for bar in (patch for patch in axes.patches if isinstance(patch, Rectangle)):
        row = round(bar.get_y() + bar.get_height() / 2)
        rows[row] = rows.get(row, 0) + bar.get_width()
    return rows


def test_bars_are_as_long_as_the_totals():
    one = on("asic65-lp")
    panels = costs({"mine": one}).axes
    assert len(panels) == 4
    memory = one.memory["inference"]["total"] / 8192
    energy = one.energy["training"]["total"] / 1e6
    assert lengths(panels[0])[0] == pytest.approx(memory, rel=0.03)  # slivers are left out
    assert lengths(panels[3])[0] == pytest.approx(energy, rel=0.03)


def test_two_estimates_stand_side_by_side_on_one_scale():
    narrow = estimate(SIZE, "asic65-lp", works(SIZE, input_spikes=1000))
    energy = costs({"mine": on("asic65-lp"), "narrow": narrow}).axes[2]
    assert set(lengths(energy)) == {0, 1}
    assert lengths(energy)[0] > lengths(energy)[1]
    assert [label.get_text() for label in energy.get_yticklabels()] == ["mine", "narrow"]


def test_totals_that_are_far_apart_are_shown_as_shares():
    energy = costs({"chip": on("asic65-lp"), "controller": on("mcu-m4f")}).axes[2]
    assert energy.get_xlabel() == "share (%)"
    assert list(lengths(energy).values()) == pytest.approx([100, 100], abs=3)
