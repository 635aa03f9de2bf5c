"""A comparison as Markdown and as a page that needs nothing else."""

import html


def mb(count):
    return "" if count is None else f"{count / 1e6:.0f}"


def milliseconds(value):
    if value is None:
        return ""
    return f"{value:.0f}" if value >= 100 else f"{value:.1f}" if value >= 10 else f"{value:.3g}"


def times(row):
    """How many times as long as vkseg takes."""
    low, high = row["times_vkseg_range"]
    return "1" if row["engine"] == "vkseg" else f"{row['times_vkseg']:.2f} ({low:.2f} to {high:.2f})"


def percent(share):
    """Rounded down, so that 100 means all."""
    return f"{int(share * 1e5) / 1e3:g} %"


def agreement(row):
    if "relative_l2" not in row:
        return "held against"
    return f"{row['relative_l2']:.1e}, {percent(row['class_agreement'])}"


def energy_text(row):
    return "; ".join(f"{joules:.3g} J {name}" for name, joules in row["joules_per_frame"].items())


COLUMNS = {
    "engine": lambda r: f"{r['engine']} {r['version']}".replace("vkseg vkseg", "vkseg"),
    "device": lambda r: f"{r['device']}; {r['driver']}".rstrip("; "),
    "precision": lambda r: r["precision"],
    "ms, median (min, p99)": lambda r: f"{milliseconds(r['host_ms']['median'])} ({milliseconds(r['host_ms']['min'])}, "
                                       f"{milliseconds(r['host_ms']['p99'])})",
    "times as long as vkseg": times,
    "on the device, ms": lambda r: milliseconds(r["device_ms"]["median"]) if r["device_ms"] else "",
    "start-up, ms": lambda r: milliseconds(r["start_up_ms"]),
    "process, MB": lambda r: mb(r["resident_bytes"]),
    "device, MB": lambda r: mb(r["device_memory_bytes"]),
    "energy a frame": energy_text,
    "scores differ by, classes agree": agreement,
}  # fmt: skip

NOTES = (
    "Times: normalised floats in host memory to scores as floats in host memory, both copies included; batch 1.",
    "Times as long: of each round's medians, the median (lowest to highest round). Engines took turns and were stopped "
    "while others ran.",
    "On the device: from the network's first operation to its last, by the device's own clock, where the engine tells it.",
    "Start-up: from the network's files to the first result, imports left out; kept pipelines and caches as they were found.",
    "Process: the most memory that the whole process held, libraries and interpreter included. Device: what the engine "
    "says that it holds there.",
    "Mesa's CPU driver (llvmpipe) says how wide the vectors of vkseg's process are: 512 bits where the processor has them; "
    "other engines take the driver's own 256. LP_NATIVE_VECTOR_WIDTH in the environment sets one width for all.",
    "Differences are relative L2 to vkseg's scores in fp32; an engine beyond the tolerance is not timed.",
)


def used(result):
    """Columns in which somebody has something to say."""
    return {name: cell for name, cell in COLUMNS.items() if any(cell(row) for row in result["results"])}


def title(result):
    width, height = result["size"]
    return f"{result['network']} {width}x{height}"


def setting(result):
    machine = result["machine"]
    config = f", configuration {result['config']}" if result["config"] else ""
    return (f"Weights: {result['weights']}{config}. {result['macs'] / 1e9:.2f} G multiply-adds. {result['rounds']} rounds of "
            f"{result['runs']} runs. {machine['cpu']}, {machine['threads']} threads, {machine['system']}.")  # fmt: skip


def absent(result):
    return [f"{m['engine']}{', ' + m['precision'] if 'precision' in m else ''}: {m['why']}" for m in result["missing"]]


def paper_lines(result):
    lines = []
    for row in result["papers"]:
        ms = f" ({1000 / row['value']:.2f} ms)" if row["unit"] == "FPS" else ""
        what = ", ".join(part for part in (row["size"], row.get("note")) if part)
        lines.append(f"{row['device']}: {row['value']} {row['unit']}{ms}{', ' + what if what else ''} ({row['source']})")
    return lines


def markdown(result):
    columns = used(result)
    lines = [f"# {title(result)}", "", setting(result), "", f"| {' | '.join(columns)} |", f"|{'---|' * len(columns)}"]
    for row in result["results"]:
        lines.append(f"| {' | '.join(cell(row) for cell in columns.values())} |")
    lines += ["", *(f"- {note}" for note in NOTES)]
    if not result["energy_sources"]:
        lines.append("- Energy: nothing here can be read.")
    for heading, texts in (("Not in the table", absent(result)),
                           ("Printed in papers, on devices of theirs, not measured here", paper_lines(result))):  # fmt: skip
        if texts:
            lines += ["", f"## {heading}", "", *(f"- {text}" for text in texts)]
    return "\n".join(lines) + "\n"


STYLE = """
body { font: 15px/1.45 system-ui, sans-serif; margin: 2em auto; max-width: 75em; padding: 0 1em; color: #1d2733; background: #fff }
table { border-collapse: collapse; font-size: 13px; margin: 1em 0 }
th, td { border-bottom: 1px solid #d5dde5; padding: .35em .6em; text-align: left; vertical-align: top }
th { background: #eef3f8 }
.own td { background: #e9f4ea }
.bars { display: grid; grid-template-columns: max-content 1fr; gap: .3em .8em; align-items: center; font-size: 13px }
.bar { background: #8fa9c2; height: 1.3em; min-width: 2px }
.bar.own { background: #4f8054 }
.line { display: flex; gap: .5em; align-items: center }
ul { font-size: 13px }
"""


def page(result):
    e = html.escape
    columns = used(result)
    longest = max(row["host_ms"]["median"] for row in result["results"])
    bars, rows = [], []
    for row in sorted(result["results"], key=lambda r: r["host_ms"]["median"]):
        own = "own" if row["engine"] == "vkseg" else ""
        median = row["host_ms"]["median"]
        bars.append(f'<div>{e(row["engine"])}, {e(row["precision"])}</div><div class="line">'
                    f'<div class="bar {own}" style="width:{75 * median / longest:.2f}%"></div>'
                    f"<div>{milliseconds(median)} ms</div></div>")  # fmt: skip
    for row in result["results"]:
        own = ' class="own"' if row["engine"] == "vkseg" else ""
        rows.append(f"<tr{own}>{''.join(f'<td>{e(cell(row))}</td>' for cell in columns.values())}</tr>")
    head = "".join(f"<th>{e(name)}</th>" for name in columns)
    lists = [("", list(NOTES)), ("Not in the table", absent(result)),
             ("Printed in papers, on devices of theirs, not measured here", paper_lines(result))]  # fmt: skip
    rest = "".join(f"{f'<h2>{e(name)}</h2>' if name else ''}<ul>{''.join(f'<li>{e(t)}</li>' for t in texts)}</ul>"
                   for name, texts in lists if texts)  # fmt: skip
    return (f'<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><title>{e(title(result))}: engines compared</title>'
            f"<style>{STYLE}</style></head><body>\n<h1>{e(title(result))}</h1>\n<p>{e(setting(result))}</p>\n"
            f'<div class="bars">{"".join(bars)}</div>\n<table><tr>{head}</tr>{"".join(rows)}</table>\n{rest}\n'
            "</body></html>\n")  # fmt: skip
