"""The order of events of `fspinn.network` as code of Brian2, phase by phase.

Each phase of a time step is one slot of Brian2's schedule; in a slot, parts keep their order. What a kind
of inhibition adds is in `inhibition`.

===================  ==============  =================================================================
phase                slot            what happens in it
===================  ==============  =================================================================
1 leak               ``groups``      differential equations, integrated exactly
2 layer              ``layer``       inhibitory partners spike, all neurons but their own drop
3 input              ``input``       `encoded` hands spikes to `inputs`, `weights` add them to potentials
4 threshold          ``thresholds``  who has reached its threshold, who is furthest above, the one spike
5 reset, inhibition  ``resets``      the neuron that spiked, then all others
6 post               ``post``        weights of the neuron that spiked
7 window             ``window``      window rules, balanced thresholds
end of presentation  ``end``         weight decay, normalisation, theta; everything goes back to rest
===================  ==============  =================================================================

What no neuron can know by itself is known to one more unit, the **referee**: who is furthest above its
threshold (all that have reached theirs report), and who has spiked most often since the image appeared.
Neurons read it as linked variables, so inhibition needs no N x N synapses. Nothing calls back into Python:
a simulation holds any number of presentations and runs on all targets of Brian2, cpp_standalone included.

Without inhibition (``none``) there is no winner: a neuron spikes where it has reached its threshold.

A presentation that ends with its first spike (``first``) goes on for Brian2, but nothing arrives, spikes or
learns any more.

What rises in phase 6 after the weights (the traces of output spikes that no weight of phase 6 depends on, a
decaying or homeostatic theta) is written with the reset of phase 5: nothing in between looks at it. Numbers
below 1e-20 do not become 0 here; results differ by no more.
"""

from dataclasses import dataclass

from fspinn.backends.brian2.definition import Action, Event, EveryStep, Part, Pathway
from fspinn.backends.brian2.inhibition import Inhibition, inhibition_of
from fspinn.lowering.plan import LayerPlan, Plan

STEP = "step = t_in_timesteps % steps : integer (shared)  # within the presentation"

IMAGE_ENDS = "step + 1 == steps"

GOES_ON = "(ended == 0 or step < ended)"
"""Whether no earlier step has had the spike that ends the presentation."""


@dataclass(frozen=True)
class Mechanisms:
    """Which mechanisms of a network are at work."""

    plan: Plan

    @property
    def layer(self) -> LayerPlan:
        return self.plan.layers[0]

    @property
    def learning(self) -> bool:
        return self.layer.learning is not None

    @property
    def rule(self) -> str:
        return "off" if self.layer.learning is None else self.layer.learning.rule

    @property
    def adaptation(self) -> str:
        return "off" if self.layer.learning is None else self.layer.learning.adaptation

    @property
    def normalisation(self) -> str:
        return "off" if self.layer.learning is None else self.layer.learning.normalisation

    @property
    def decay(self) -> bool:
        return self.layer.learning is not None and self.layer.learning.weight_decay > 0

    @property
    def inhibition(self) -> Inhibition:
        return inhibition_of(self.layer)

    @property
    def ends_early(self) -> bool:
        """Whether the first spike ends a presentation."""
        return self.layer.inhibition == "first"

    @property
    def ranked(self) -> bool:
        """Whether neurons answer after the input, by rank."""
        return self.layer.inhibition == "ranked"

    @property
    def alone(self) -> bool:
        """Whether each neuron spikes by itself, whatever the others do."""
        return self.layer.inhibition == "none"

    @property
    def steps(self) -> int:
        """Time steps of a presentation."""
        return self.plan.steps_of(self.layer)

    @property
    def refractory(self) -> bool:
        return self.layer.refractory_steps > 0

    @property
    def traces(self) -> bool:
        return self.rule in ("timestep", "pair", "postonly")

    @property
    def leader(self) -> bool:
        """Whether it matters who has spiked most often."""
        return self.rule in ("normalised", "timestep") or self.adaptation == "balanced"

    @property
    def balanced(self) -> bool:
        """Whether thresholds fall where no neuron spikes."""
        return self.adaptation == "balanced"

    @property
    def has_input(self) -> bool:
        """Whether it matters if any input has spiked."""
        return self.adaptation in ("balanced", "homeostatic") or self.ranked

    @property
    def factor(self) -> bool:
        """Whether the winner's potentiation factor k is adaptive."""
        by_window = self.rule in ("normalised", "timestep")
        return by_window and self.layer.learning is not None and self.layer.learning.spike_threshold > 0

    @property
    def window_ends(self) -> str:
        ends = IMAGE_ENDS
        if self.layer.learning is not None and self.layer.learning.window_steps < self.plan.steps:
            ends = f"((step + 1) % window_steps == 0 and step + 1 < input_steps or {IMAGE_ENDS})"
        return f"(({ends} or winner >= 0) and {GOES_ON})" if self.ends_early else ends


def leak(on: Mechanisms) -> list[Part]:
    """Phase 1; the referee forgets the step before."""
    forgotten = lines("winner = -1", "best = -1e300" if on.ranked else "best = -1", on.inhibition.forgets)
    parts: list[Part] = [EveryStep("groups", "referee", forgotten)]
    if on.ends_early:
        parts.append(EveryStep("groups", "inputs", "arrived = False"))
    return parts


def arrive(on: Mechanisms) -> list[Part]:
    """Phase 3."""
    arrival = lines("arrived = False", (on.traces, "x += 1"), (on.rule == "normalised", "count += 1"))
    row = lines(
        f"v_post += w{on.inhibition.input_factor}",
        (on.has_input, "has_input_post = True"),
        (on.rule == "pair", "w = clip(w - depression_rate*y_post, 0, 1)"),
    )
    return [
        Pathway("input", "encoded", "pre", "spike", "arrived_post = True"),
        Event("input", "inputs", "spike", "arrived and ended == 0" if on.ends_early else "arrived"),
        Action("input", "inputs", "spike", arrival),
        Pathway("input", "weights", "pre", "spike", row),
    ]


def threshold(on: Mechanisms) -> list[Part]:
    """Phase 4: reports arrive in the order of the neurons, and a later one must be better, not equal."""
    reaches = "step >= input_steps and has_input" if on.ranked else "excess >= 0"
    if on.refractory:
        reaches += " and step >= ready_at"
    if on.ends_early:
        reaches += f" and {GOES_ON}"
    if on.alone:
        return [Event("thresholds", "neurons", "spike", reaches)]
    return [
        Event("thresholds", "neurons", "reaches", reaches),
        Pathway(
            "thresholds",
            "reports",
            "pre",
            "reaches",
            "better = int(excess_pre > best_post)\n"
            "winner_post = better*i + (1 - better)*winner_post\n"
            "best_post = better*excess_pre + (1 - better)*best_post",
        ),
        Event("thresholds", "neurons", "spike", "i == winner"),
    ]


def reset(on: Mechanisms) -> list[Part]:
    """Phase 5, and what rises in phase 6."""
    parts: list[Part] = [
        Action(
            "resets",
            "neurons",
            "spike",
            lines(
                _after_spike(on),
                (on.refractory, "ready_at = step + 1 + refractory_steps"),
                on.inhibition.spikes,
                (on.rule == "pair", "y += 1"),
                (on.adaptation in ("decaying", "homeostatic"), "theta += theta_step(t)"),
                (on.leader, "count += 1"),
            ),
        )
    ]
    report = lines(
        (
            on.leader,
            "ahead = int(count_pre > most_post or (count_pre == most_post and i < leader_post))\n"
            "leader_post = ahead*i + (1 - ahead)*leader_post\n"
            "most_post = ahead*count_pre + (1 - ahead)*most_post\n"
            "window_spikes_post += 1",
        ),
        (on.balanced, "total_spikes_post += 1"),
        (on.ends_early, "ended_post = step_pre + 1"),
    )
    if report:
        parts.append(Pathway("resets", "reports", "pre", "spike", report))
    if on.inhibition.inhibited:
        parts += [
            Event("resets", "neurons", "inhibited", "winner >= 0 and i != winner"),
            Action("resets", "neurons", "inhibited", on.inhibition.inhibited),
        ]
    return parts


def _after_spike(on: Mechanisms) -> str:
    if on.alone:
        return "v -= firing_threshold + theta"
    return "v -= drop" if on.ranked else "v = 0"


def post(on: Mechanisms) -> list[Part]:
    """Phase 6."""
    if on.rule == "pair":
        return [Pathway("post", "weights", "post", "spike", "w = clip(w + learning_rate(t)*x_pre, 0, 1)")]
    if on.rule == "postonly":
        change = "learning_rate(t)*(x_pre - target_trace)*(1 - w)"
        return [Pathway("post", "weights", "post", "spike", f"w = clip(w + {change}, 0, 1)")]
    return []


def window(on: Mechanisms) -> list[Part]:
    """Phase 7."""
    parts: list[Part] = []
    leads = f"{on.window_ends} and window_spikes > 0 and i == leader"
    rate = "k_post*learning_rate(t)" if on.factor else "learning_rate(t)"
    if on.rule == "normalised":
        change = f"clip({rate}, 0, 1)*(clip(weight_norm*count_pre/length_post, 0, 1) - w)"
        parts += [
            Event("window", "inputs", "window_ends", on.window_ends),
            Pathway("window", "sums", "pre", "window_ends", "square_post += count_pre**2"),
            Event("window", "neurons", "leads", f"{leads} and square > 0"),
            Action("window", "neurons", "leads", "length = sqrt(square)"),
            Pathway("window", "weights", "post", "leads", f"w += {change}"),
            Action("window", "inputs", "window_ends", "count = 0"),
        ]
    if on.rule == "timestep":
        unled = f"{on.window_ends} and window_spikes == 0 and x >= 1e-20"
        parts += [
            Event("window", "neurons", "leads", leads),
            Pathway("window", "weights", "post", "leads", f"w = clip(w + {rate}*x_pre, 0, 1)"),
            Event("window", "inputs", "depresses", unled),
            Pathway("window", "weights", "pre", "depresses", "w = clip(w - depression_rate*x_pre, 0, 1)"),
        ]
    if on.adaptation == "balanced":
        parts += [
            Event("window", "neurons", "window_ends", f"{on.window_ends} and window_spikes > 0"),
            Action(
                "window",
                "neurons",
                "window_ends",
                "theta = clip(theta - theta_step(t)/N, lowest_theta, inf) + theta_step(t)*int(i == leader)",
            ),
        ]
    if on.leader:
        forgotten = lines("window_spikes = 0", (on.rule == "normalised", "square = 0"))
        parts += [
            Event("window", "referee", "window_ends", on.window_ends),
            Action("window", "referee", "window_ends", forgotten),
        ]
    return parts


def tidy(on: Mechanisms) -> list[Part]:
    """Weight decay and normalisation."""
    parts: list[Part] = []
    if on.decay:
        parts.append(Pathway("end", "weights", "pre", "image_ends", "w *= 1 - weight_decay"))
    if on.normalisation != "off":
        l1 = on.normalisation == "l1"
        total, size = ("w", "size_post") if l1 else ("w**2", "sqrt(size_post)")
        rescaled = f"w = clip(w*goal/({size} + int(size_post == 0)), 0, 1)"
        parts += [
            Pathway("end", "weights", "pre", "image_ends", f"size_post += {total}"),
            Pathway("end", "weights", "pre", "image_ends", rescaled),
        ]
    return parts


def end(on: Mechanisms) -> list[Part]:
    """What changes once per presentation, then the return to rest."""
    parts: list[Part] = []
    if on.traces or on.decay or on.normalisation != "off":
        parts.append(Event("end", "inputs", "image_ends", IMAGE_ENDS))
    parts += tidy(on)
    if on.balanced:
        silent = f"{IMAGE_ENDS} and most == 0 and theta_step(t) > 0"
        falls = "(total_spikes == 0 and has_input)"
        if on.layer.learning is not None and on.layer.learning.falls_in_silence:
            falls = f"(near or {falls})"
            parts += [
                Event("end", "neurons", "is_near", f"{silent} and v >= firing_threshold/2"),
                Pathway(
                    "end",
                    "reports",
                    "pre",
                    "is_near",
                    "near_post = True\nreached_post = reached_post or v_pre >= firing_threshold",
                ),
            ]
        parts += [
            Event("end", "neurons", "falls", f"{silent} and {falls}"),
            Action(
                "end",
                "neurons",
                "falls",
                "parts = 1 + (N - 1)*int(total_spikes > 0 and not reached)\n"
                "theta = clip(theta - theta_step(t)/parts, lowest_theta, inf)",
            ),
        ]
    if on.adaptation == "homeostatic":
        fall = "theta = clip(theta - theta_step(t)*target_spikes/N, lowest_theta, inf)"
        parts += [
            Event("end", "neurons", "falls", f"{IMAGE_ENDS} and has_input"),
            Action("end", "neurons", "falls", fall),
        ]
    if on.traces:
        parts.append(Action("end", "inputs", "image_ends", "x = 0"))
    rest = lines(
        (on.adaptation == "decaying", "theta *= exp(-duration/theta_tau)"),
        "v = 0",
        (on.refractory, "ready_at = 0"),
        on.inhibition.rests,
        (on.rule == "pair", "y = 0"),
        (on.leader, "count = 0"),
        (on.has_input, "has_input = False"),
        (on.normalisation != "off", "size = 0"),
    )
    parts += [
        Event("end", "neurons", "image_ends", IMAGE_ENDS),
        Action("end", "neurons", "image_ends", rest),
    ]
    if on.leader or on.ends_early:
        forgotten = lines(
            (on.leader, "leader = 0\nmost = 0"),
            (on.balanced, "near = False\nreached = False"),
            (on.ends_early, "ended = 0"),
        )
        parts += [
            Event("end", "referee", "image_ends", IMAGE_ENDS),
            Action("end", "referee", "image_ends", forgotten),
        ]
    return parts


def lines(*parts: str | tuple[bool, str]) -> str:
    """Join pieces of code, but for empty ones; a piece with a condition only where that holds."""
    pieces = (part if isinstance(part, str) else part[1] * part[0] for part in parts)
    return "\n".join(piece for piece in pieces if piece)
