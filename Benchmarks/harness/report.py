"""A row's result as lines for a person."""
#: Sampled or computed in another order, both sides' numbers agree to about this.
SAME_WORK = 0.01


def text(name, row, found):
    lines = [
        f"{name}: {row.title}",
        f"  ours   median {found['median_ours']:.4g} {row.unit}, peak memory {found['peak_bytes_ours'] / 1e9:.2f} GB",
        f"  peer   median {found['median_peer']:.4g} {row.unit}, peak memory {found['peak_bytes_peer'] / 1e9:.2f} GB",
        f"  ratio  {found['ratio']:.2f} (from {found['ratio_min']:.2f} to {found['ratio_max']:.2f} over "
        f"{len(found['pairs'])} pairs), memory {found['memory_ratio']:.2f}",
        f"  bar    {row.bar}",
    ]
    if found["ratio_max"] > 1.5 * found["ratio_min"]:
        lines.append("  NOISY  the pairs differ by more than half: the machine does other work; measure again")
    difference = found["work_difference"]
    if difference is not None:
        verdict = "the same work" if difference < SAME_WORK else "NOT THE SAME WORK"
        lines.append(f"  check  {verdict}: what both sides computed differs by {difference:.2g} of its size")
    return "\n".join(lines)
