#!/usr/bin/python3
"""growth.py - what one more costs when there are many: a table beside Linux's, and a picture.

    bench/growth.py --build build [--layout quire] [--only linux|quire] [--svg build/growth.svg]

bench/guest/growth.c runs as compare.py says. A row has its cost at 1, 10, 100, 1 000 and 4 000 of a thing, in guest
instructions, and how many times the cost at 1 that at the most is. In the picture each thing has a field of its own,
both axes logarithmic: a line that is level costs the same whatever there is.
"""
import html
import math
import os
import sys

import compare

# Name in growth.c, and what is done when so many are there.
THINGS = {
    "processes": "processes: fork + exit + wait of one more",
    "threads": "threads: one more begun and ended",
    "regions": "regions: mmap + munmap of one more",
    "descriptors": "descriptors: dup + close of one more",
    "epoll_entries": "epoll entries, idle: epoll_wait",
    "timers": "timers: one more set and stopped",
    "files": "files of a folder: create + unlink of one more",
    "components": "components of a path: stat64",
}
COUNTS = [1, 10, 100, 1000, 4000]
SYSTEMS = {"linux": "#b5651d", "quire": "#1f6fb2"}

WIDTH, HEIGHT, LEFT, TOP, GAP = 320, 170, 72, 40, 44        # of a field, and around it


def curves(costs):
    """By thing, the points (count, cost) that there are."""
    return {thing: [(n, costs[f"{thing}-{n}"]) for n in COUNTS if f"{thing}-{n}" in costs] for thing in THINGS}


def print_table(results):
    print(f"{'Instructions with so many there':46} {'':6}" + "".join(f"{n:>10}" for n in COUNTS) + "  last : first")
    for thing, text in THINGS.items():
        for system, found in results.items():
            points = dict(found[thing])
            cells = "".join(f"{compare.number(points.get(n)):>10}" for n in COUNTS)
            ratio = f"{found[thing][-1][1] / found[thing][0][1]:13.2f}" if found[thing] else ""
            print(f"{text:46} {system:6}{cells}{ratio}")
            text = ""


def decades(values):
    low, high = math.floor(math.log10(min(values))), math.ceil(math.log10(max(values)))
    return low, max(high, low + 1)


def field(thing, results, x, y):
    """One thing's lines, as SVG."""
    costs = [cost for found in results.values() for _, cost in found[thing]]
    low, high = decades(costs)
    across = lambda n: x + WIDTH * math.log10(n) / math.log10(COUNTS[-1])
    upward = lambda cost: y + HEIGHT - HEIGHT * (math.log10(cost) - low) / (high - low)
    parts = [f'<text x="{x}" y="{y - 10}" class="name">{html.escape(THINGS[thing])}</text>',
             f'<rect x="{x}" y="{y}" width="{WIDTH}" height="{HEIGHT}" class="field"/>']
    for power in range(low, high + 1):
        at = upward(10 ** power)
        parts += [f'<path d="M{x} {at:.1f}h{WIDTH}" class="grid"/>',
                  f'<text x="{x - 6}" y="{at + 4:.1f}" class="left">{compare.number(10 ** power)}</text>']
    for n in COUNTS:
        parts.append(f'<text x="{across(n):.1f}" y="{y + HEIGHT + 15}" class="below">{compare.number(n)}</text>')
    for system, found in results.items():
        points = [(across(n), upward(cost), n, cost) for n, cost in found[thing]]
        parts.append(f'<polyline points="{" ".join(f"{a:.1f},{b:.1f}" for a, b, *_ in points)}" class="{system}"/>')
        parts += [f'<circle cx="{a:.1f}" cy="{b:.1f}" r="3" class="{system}"><title>{system}, {n}: '
                  f'{compare.number(cost)}</title></circle>' for a, b, n, cost in points]
    return parts


def draw(results, path):
    columns, rows = 2, (len(THINGS) + 1) // 2
    width, height = columns * (WIDTH + LEFT + GAP) + GAP, TOP + rows * (HEIGHT + GAP + 24) + 16
    style = ("text{font:12px sans-serif;fill:#222}.name{font-weight:bold}.left{text-anchor:end}.below{text-anchor:"
             "middle}.field{fill:none;stroke:#888}.grid{stroke:#ddd}polyline{fill:none;stroke-width:2}"
             + "".join(f"polyline.{of}{{stroke:{colour}}}circle.{of},rect.{of}{{fill:{colour}}}"
                       for of, colour in SYSTEMS.items()))
    parts = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" '
             f'height="{height}" role="img">', "<title>Guest instructions for one more, by how many there are</title>",
             f"<style>{style}</style>", f'<rect width="{width}" height="{height}" fill="#fff"/>']
    for number, system in enumerate(results):
        at = LEFT + 110 * number
        parts += [f'<rect x="{at}" y="10" width="12" height="12" class="{system}"/>',
                  f'<text x="{at + 18}" y="20">{"Linux 6.1" if system == "linux" else "Quire"}</text>']
    for number, thing in enumerate(THINGS):
        parts += field(thing, results, LEFT + number % columns * (WIDTH + LEFT + GAP),
                       TOP + 20 + number // columns * (HEIGHT + GAP + 24))
    with open(path, "w") as file:
        file.write("\n".join([*parts, "</svg>", ""]))


def main():
    arguments = compare.arguments_of(__doc__.splitlines()[0])
    arguments.add_argument("--svg", help="where the picture goes; build/growth.svg unless said")
    options = arguments.parse_args()
    build = os.path.abspath(options.build)
    program, results = os.path.join(build, "guest", "growth"), {}
    for system in SYSTEMS:
        if options.only in (None, system):
            try:
                results[system] = curves(compare.on_linux(build, program) if system == "linux"
                                         else compare.on_quire(build, program, options.layout))
            except compare.Unavailable as error:
                print(f"growth: {system}: {error}", file=sys.stderr)
    if not results:
        return 1
    print_table(results)
    path = options.svg or os.path.join(build, "growth.svg")
    draw(results, path)
    print(f"drawn in {path}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
