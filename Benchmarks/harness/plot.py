"""Points with the line through them, as SVG in one page that needs nothing else."""
import html

WIDTH, HEIGHT, MARGIN = 420, 280, 56


def fitted(x, y):
    """The least-squares line: slope, value at zero, and the largest relative distance of a point from it."""
    count = len(x)
    mean_x, mean_y = sum(x) / count, sum(y) / count
    spread = sum((one - mean_x) ** 2 for one in x)
    slope = sum((a - mean_x) * (b - mean_y) for a, b in zip(x, y)) / spread if spread else 0.0
    start = mean_y - slope * mean_x
    deviation = max(abs(b - (start + slope * a)) / max(abs(b), 1e-12) for a, b in zip(x, y))
    return slope, start, deviation


def chart_svg(chart):
    x, y = zip(*chart["points"])
    slope, start, deviation = fitted(x, y)
    right, top = max(x), max(max(y), start + slope * max(x)) * 1.05

    def place(a, b):
        return MARGIN + a / right * (WIDTH - MARGIN - 16), HEIGHT - MARGIN + 16 - max(b, 0) / top * (HEIGHT - MARGIN - 24)

    (left, low), (end, high) = place(0, start), place(right, start + slope * right)
    base = place(0, 0)[1]
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{HEIGHT}" font-family="sans-serif" font-size="11">',
        f'<text x="{MARGIN}" y="14" font-size="13">{html.escape(chart["title"])}</text>',
        f'<path d="M{MARGIN} 24V{base}H{WIDTH - 16}" fill="none" stroke="#888"/>',
        f'<path d="M{left:.1f} {low:.1f}L{end:.1f} {high:.1f}" stroke="#2a7" stroke-dasharray="4 3"/>',
    ]
    for a, b in chart["points"]:
        across, up = place(a, b)
        parts.append(f'<circle cx="{across:.1f}" cy="{up:.1f}" r="3.5" fill="#225"/>')
        parts.append(f'<text x="{across:.1f}" y="{base + 14}" text-anchor="middle">{a:g}</text>')
    for share in (0.5, 1):
        parts.append(f'<text x="{MARGIN - 4}" y="{place(0, top * share)[1] + 4:.1f}" text-anchor="end">{top * share:.3g}</text>')
    label = f"{chart['y']} against {chart['x']}; farthest from the line {100 * deviation:.1f} %"
    parts.append(f'<text x="{MARGIN}" y="{HEIGHT - 6}">{html.escape(label)}</text></svg>')
    return "\n".join(parts)


def write_page(path, subtitle, charts):
    body = "\n".join(chart_svg(chart) for chart in charts)
    path.write_text(
        "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><title>RTO: scaling</title>\n"
        f"<h1>Scaling</h1><p>{html.escape(subtitle)}</p>\n{body}\n</html>\n", encoding="utf-8")
