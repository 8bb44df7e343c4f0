"""Two programs measured in turn, and what follows from the pairs."""
import dataclasses
import os
import statistics


@dataclasses.dataclass
class Measurement:
    """What one process found: a time or a rate, its largest resident size, and what tells that both did the same work."""

    value: float
    peak_bytes: int
    check: float | None = None
    versions: dict = dataclasses.field(default_factory=dict)


@dataclasses.dataclass
class Summary:
    """The pairs of one row. A ratio is how many times better ours is: above 1 is ahead."""

    ours: list
    peer: list
    higher_is_better: bool

    def ratios(self):
        pairs = zip(self.ours, self.peer)
        if self.higher_is_better:
            return [mine.value / other.value for mine, other in pairs]
        return [other.value / mine.value for mine, other in pairs]

    def as_json(self):
        ratios = self.ratios()
        return {
            "pairs": [{"ours": mine.value, "peer": other.value} for mine, other in zip(self.ours, self.peer)],
            "median_ours": statistics.median(one.value for one in self.ours),
            "median_peer": statistics.median(one.value for one in self.peer),
            "ratio": statistics.median(ratios),
            "ratio_min": min(ratios),
            "ratio_max": max(ratios),
            "peak_bytes_ours": statistics.median(one.peak_bytes for one in self.ours),
            "peak_bytes_peer": statistics.median(one.peak_bytes for one in self.peer),
            "work_difference": self.work_difference(),
        }

    def work_difference(self):
        """How far apart the checks of both sides are, relatively; none where there is nothing to compare."""
        pairs = [(mine.check, other.check) for mine, other in zip(self.ours, self.peer)]
        if any(None in pair for pair in pairs):
            return None
        return max(abs(mine - other) / max(abs(other), 1e-9) for mine, other in pairs)


def measure_in_turn(ours, peer, pairs, warm_up, higher_is_better, report):
    """Calls ours, peer, ours, peer, …, so that whatever else the machine does falls on both alike."""
    found = Summary([], [], higher_is_better)
    for number in range(warm_up + pairs):
        mine, other = ours(), peer()
        load = os.getloadavg()[0]
        if number < warm_up:
            report(f"warm-up: ours {mine.value:.4g}, peer {other.value:.4g} (load {load:.2f})")
            continue
        found.ours.append(mine)
        found.peer.append(other)
        report(f"pair {number - warm_up + 1}: ours {mine.value:.4g}, peer {other.value:.4g}, "
               f"ratio {found.ratios()[-1]:.2f} (load {load:.2f})")
    return found
