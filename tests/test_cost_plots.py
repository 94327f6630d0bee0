"""Pictures of costs."""

from itertools import combinations

import numpy as np
import pytest
from cost_cases import SIZE, works
from matplotlib.colors import to_rgb
from matplotlib.patches import Rectangle

from fspinn.base.amounts import energy_text, with_signs
from fspinn.memmodel import estimate
from fspinn.memmodel.summary import largest
from fspinn.report.plots.costs import HATCHES, SHADES, costs


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


def test_totals_that_are_far_apart_are_on_one_scale_too():
    chip, controller = on("asic65-lp"), on("mcu-m4f")
    _, energy = costs({"chip": chip, "controller": controller}).axes  # the controller does not learn
    totals = [one.energy["inference"]["total"] for one in (chip, controller)]
    assert energy.get_xlabel() == "mJ"
    assert list(lengths(energy).values()) == pytest.approx([total / 1e9 for total in totals], rel=0.03)
    short, long = (text.get_text() for text in energy.texts if "J" in text.get_text())
    assert short == f" {with_signs(energy_text(totals[0]))}: {largest(chip.energy['inference'])}"
    assert long == f" {with_signs(energy_text(totals[1]))}"


def test_inference_and_training_are_on_one_scale():
    panels = costs({"mine": on("asic65-lp")}).axes
    assert panels[0].get_xlim() == panels[1].get_xlim()
    assert panels[2].get_xlim() == panels[3].get_xlim()


def test_components_can_be_told_apart_without_colours():
    """Those that are as bright as each other have different patterns."""
    for one, other in combinations(SHADES, 2):
        brightness = [np.dot(to_rgb(SHADES[name]), (0.299, 0.587, 0.114)) for name in (one, other)]
        alike = abs(brightness[0] - brightness[1]) < 0.1 and HATCHES.get(one) == HATCHES.get(other)
        assert not alike, (one, other)
