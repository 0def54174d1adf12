"""The plot of the docs: seconds to silence against the number of batches, and of campaigns on Airflow."""

from __future__ import annotations

from pathlib import Path

import matplotlib as mpl
from matplotlib import pyplot
from silence import BATCHES, LATENCY_SECONDS, WHOLE_CAMPAIGNS, Silence

PLOT = Path(__file__).parents[1] / "docs" / "seconds-to-silence.svg"


def draw(growth: dict[int, tuple[float, float, float]], silence: Silence) -> None:
    """
    Draw the plot.

    :param growth: the result of ``client.measure_growth``
    :param silence: the result of ``silence.measure``
    """
    # Equal figures give equal bytes; letters stay text, which readers can search and select.
    mpl.rcParams |= {"svg.hashsalt": "isales", "svg.fonttype": "none", "font.size": 9}
    figure, (batches, campaigns) = pyplot.subplots(1, 2, figsize=(9.5, 4), layout="constrained")
    sizes = list(growth)
    for label, style, index in (
        ("ours: found, paused, verified", "o-", 0),
        ("requests pool: told the ids, verifying nothing", "s--", 1),
        ("latency alone", "k:", 2),
    ):
        batches.plot(sizes, [growth[size][index] for size in sizes], style, label=label)
    batches.set(title="The client, eight requests at once", xlabel="batches of one campaign")
    numbers = list(silence.ours)
    campaigns.plot(
        numbers, [silence.ours[number].total for number in numbers], "o-", label="ours, from the shift's end"
    )
    campaigns.plot([WHOLE_CAMPAIGNS], [silence.whole.total], "D", label="ours, campaigns as a whole")
    mapped = [number * BATCHES * silence.mapped for number in numbers]
    campaigns.plot(numbers, mapped, "s--", label="mapped HttpOperator tasks, extrapolated")
    label = f"the same tasks, each only waiting {LATENCY_SECONDS:.2f} s"
    campaigns.plot([max(numbers)], [silence.waiting], "k^", label=label)
    campaigns.set(title="Airflow on two cores", xlabel=f"campaigns of {BATCHES} batches")
    for axes in (batches, campaigns):
        axes.set(xscale="log", yscale="log", ylabel="seconds to silence, at 50 ms")
        axes.grid(alpha=0.3)
        axes.legend(fontsize=7.5)
    figure.savefig(PLOT, metadata={"Date": None})
