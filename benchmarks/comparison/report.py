"""What was measured, as JSON, as a table to read, and as a picture."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

SCENARIOS = {
    "first": "first load",
    "next_day": "next day",
    "late_change": "late change",
    "out_of_order": "a day out of order",
    "reappearance": "deleted, and back",
}
# Of the same figure of another peer, at most: what aisle is to reach at 5 million lines and two cores.
TARGETS = [
    ("first", "wall_seconds", "floor", 1.6),
    ("next_day", "wall_seconds", "floor", 0.25),
    ("late_change", "wall_seconds", "floor", 0.25),
    *[
        (scenario, "wall_seconds", peer, most)
        for peer in ("dbt", "dbt_windows", "sqlmesh")
        for scenario, most in (("first", 0.5), ("next_day", 0.25))
    ],
    *[("first", "peak_mb", peer, 1.0) for peer in ("dbt", "dbt_windows", "sqlmesh")],
    ("first", "wall_seconds", "pyspark", 0.15),
    ("next_day", "wall_seconds", "pyspark", 0.1),
    ("first", "peak_mb", "pyspark", 0.5),
]
PEAK_MB = 1_200


@dataclass(frozen=True)
class Run:
    """One run of the comparison: its size, who took part, and a record for each peer and scenario."""

    lines: int
    days: int
    day: str
    machine: str
    versions: dict[str, dict[str, str]]
    titles: dict[str, str]
    records: list[dict[str, Any]]

    def of(self, peer: str, scenario: str) -> dict[str, Any] | None:
        return next((r for r in self.records if r["peer"] == peer and r["scenario"] == scenario), None)

    def ratio(self, scenario: str, figure: str, peer: str) -> float | None:
        """The figure of aisle to another peer's; to the floor's, always that of its first load, as it has no other."""
        own, other = self.of("aisle", scenario), self.of(peer, "first" if peer == "floor" else scenario)
        return None if own is None or other is None or own["failed"] or other["failed"] else own[figure] / other[figure]


def write(run: Run, folder: Path) -> None:
    """peers.json, peers.md and peers.svg."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "peers.json").write_text(json.dumps(asdict(run), indent=1) + "\n")
    (folder / "peers.md").write_text(page(run))
    picture(run, folder / "peers.svg")


def page(run: Run) -> str:
    of: dict[str, list[str]] = {}
    for peer, found in run.versions.items():
        of.setdefault(", ".join(f"{name} {version}" for name, version in found.items()), []).append(_short(run.titles[peer]))
    made = "\n".join(f"- {'; '.join(peers)}: {versions}" for versions, peers in of.items() if versions)
    return f"""# aisle beside what people would pick instead

Made by `make bench-peers`, which anyone can repeat; how each peer's project is written, and why, is in
[benchmarks/README.md](../../benchmarks/README.md). {run.lines:,} order lines of {run.days} days in the first load, on {run.machine},
on {run.day}:

{made}

![Wall seconds of each peer in each scenario](peers.svg)

Seconds are of whole processes, with all that they start. A row is wrong if it is missing, there too often, or says anything else than the
truth: what was sold, and what the customer and the product were at the time. Memory is that of the largest process.

{table(run)}
"""


def _short(title: str) -> str:
    return title.partition(":")[0]


def table(run: Run) -> str:
    """All figures, by scenario; then aisle's targets."""
    parts = []
    for scenario, title in measured(run).items():
        parts += [f"## {title[0].upper()}{title[1:]}", ""]
        parts += [
            "| | wall s | CPU s | to the floor's first load | peak MB | written MB | wrong rows |",
            "|---|---:|---:|---:|---:|---:|---:|",
        ]
        for peer, name in run.titles.items():
            if (r := run.of(peer, scenario)) is None:
                continue
            wrong = "failed" if r["failed"] else "" if r["wrong_rows"] is None else f"{r['wrong_rows']:,}"
            figures = f"{r['wall_seconds']:,.1f} | {r['cpu_seconds']:,.1f} | {r['to_floor']:.2f} | {r['peak_mb']:,} | {r['written_mb']:,.0f}"
            parts.append(f"| {name} | {figures} | {wrong} |")
        parts.append("")
    parts += ["## Targets, at 5 million lines", "", "| aisle's | to that of | at most | is | |", "|---|---|---:|---:|---|"]
    for scenario, figure, peer, most in TARGETS:
        if (ratio := run.ratio(scenario, figure, peer)) is not None:
            what = "peak memory" if figure == "peak_mb" else "wall seconds"
            said = "met" if ratio <= most else "**missed**"
            parts.append(f"| {SCENARIOS[scenario]}, {what} | {_short(run.titles[peer])} | {most} | {ratio:.2f} | {said} |")
    peaks = [r["peak_mb"] for r in run.records if r["peer"] == "aisle"]
    if peaks:
        parts.append(
            f"| peak memory of all | in MB | {PEAK_MB:,} | {max(peaks):,} | {'met' if max(peaks) <= PEAK_MB else '**missed**'} |"
        )
    return "\n".join(parts)


def measured(run: Run) -> dict[str, str]:
    """The scenarios that took part, with their titles."""
    return {scenario: title for scenario, title in SCENARIOS.items() if any(r["scenario"] == scenario for r in run.records)}


def picture(run: Run, file: Path) -> None:
    """A panel for each scenario, a dot for each peer: wall seconds, on one logarithmic scale; what is wrong is said beside it, in red."""
    import matplotlib as mpl

    mpl.use("svg")
    mpl.rcParams |= {"svg.hashsalt": "aisle", "font.family": "sans-serif", "font.size": 9, "svg.fonttype": "none"}
    import matplotlib.pyplot as plt

    peers = [peer for peer in run.titles if any(r["peer"] == peer for r in run.records)][::-1]
    scenarios = measured(run)
    figure, (panels,) = plt.subplots(
        1, len(scenarios), figsize=(2.4 * len(scenarios) + 2, 0.42 * len(peers) + 1.1), sharey=True, sharex=True, squeeze=False
    )
    for axis, (scenario, title) in zip(panels, scenarios.items(), strict=True):
        axis.set_title(title, fontsize=10, loc="left")
        axis.set_xscale("log")
        axis.set_yticks(range(len(peers)), [run.titles[peer].partition(":")[0] for peer in peers])
        axis.set_ylim(-0.6, len(peers) - 0.4)
        axis.grid(axis="x", color="#dddddd", linewidth=0.6)
        axis.spines[["top", "right", "left"]].set_visible(False)
        axis.tick_params(axis="y", length=0)
        for at, peer in enumerate(peers):
            if (r := run.of(peer, scenario)) is None:
                continue
            axis.plot(
                r["wall_seconds"],
                at,
                "o",
                color="#0b6e4f" if peer == "aisle" else "#8a8f98",
                markersize=7 if peer == "aisle" else 5,
            )
            said = "failed" if r["failed"] else f"{r['wrong_rows']:,} wrong" if r["wrong_rows"] else ""
            axis.annotate(
                f"{r['wall_seconds']:,.1f} s",
                (r["wall_seconds"], at),
                (0, 6),
                textcoords="offset points",
                ha="center",
                fontsize=7.5,
            )
            axis.annotate(
                said, (r["wall_seconds"], at), (0, -11), textcoords="offset points", ha="center", fontsize=7.5, color="#b3261e"
            )
    panels[0].set_xlabel("wall seconds")
    panels[0].margins(x=0.35)
    figure.tight_layout()
    figure.savefig(file, metadata={"Date": None})
    plt.close(figure)
