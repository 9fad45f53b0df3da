"""One page that shows what a search found, and opens offline."""

import html
import json
import pathlib
import string

import plotly.offline

from tfcourse.files import write_text
from tfcourse.tuning.records import ranked, read_axes, read_records
from tfcourse.tuning.settings import read_manifest

_CURVES = 5
# Okabe and Ito's palette: told apart by colour-blind readers, and on both
# light and dark pages.
_COLORS = ("#2b8cd6", "#e69f00", "#009e73", "#cc79a7", "#d55e00")
_GREY = "#98a2b3"


def write_report(folder):
    """Writes `report.html` into a run's folder.

    Args:
        folder: A run's folder; at least one trial must have completed.
    """
    folder = pathlib.Path(folder)
    manifest = read_manifest(folder)
    records = read_records(folder / "search")
    axes = read_axes(folder / "search")
    objective = manifest["objective"]["name"]
    best = ranked(records, manifest["objective"]["direction"])
    slices = {f"slice-{n}": axis for n, axis in enumerate(axes)}
    figures = {
        "curves": _curves(best, objective),
        **{id_: _slice(best, axis, objective) for id_, axis in slices.items()},
    }
    template = pathlib.Path(__file__).with_name("report.html")
    page = string.Template(template.read_text(encoding="utf-8")).substitute(
        title=f"Search on {html.escape(manifest['data']['name'])}",
        sentence=_sentence(manifest, records, best),
        facts=_facts(manifest, records),
        leaderboard=_leaderboard(best, axes, objective),
        curves_caption=(
            f"{objective} after each epoch; the best trials in colour, the "
            "others in grey."
        ),
        curves=_place("curves", 380),
        slices="".join(
            f'<div class="card">{_place(id_, 260)}</div>' for id_ in slices
        ),
        failures=_failures(records),
        provenance=_provenance(manifest, records),
        plotly=plotly.offline.get_plotlyjs(),
        # A closing tag inside a string would end the script.
        figures=json.dumps(figures).replace("</", "<\\/"),
    )
    write_text(folder / "report.html", page)


def shown(value):
    """Returns a value of a hyperparameter or a score as text to read."""
    if value is None:
        return ""
    if not isinstance(value, float):
        return str(value)
    # Four digits of 1 - β are what tells 0.9990 from 0.9995.
    return f"{value:.6g}" if 0.9 < value < 1 else f"{value:.4g}"


def _curves(best, objective):
    lines = [
        {
            "x": list(range(1, len(record.curves.get(objective, ())) + 1)),
            "y": record.curves.get(objective, []),
            "name": f"trial {record.trial}",
            "mode": "lines+markers" if place < _CURVES else "lines",
            "line": {
                "color": _COLORS[place] if place < _CURVES else _GREY,
                "width": 2 if place < _CURVES else 1,
            },
            "marker": {"size": 5},
            "opacity": 1 if place < _CURVES else 0.45,
            "showlegend": place < _CURVES,
        }
        for place, record in enumerate(best)
    ]
    layout = {
        "xaxis": {"title": {"text": "epoch"}, "rangemode": "tozero"},
        "yaxis": {"title": {"text": objective}},
        "legend": {"orientation": "h", "y": 1.02, "yanchor": "bottom"},
        "margin": {"l": 60, "r": 20, "t": 40, "b": 50},
        "hovermode": "closest",
    }
    # The best are drawn last, on top, and named first.
    return {
        "data": lines[::-1],
        "layout": {
            **layout,
            "legend": {**layout["legend"], "traceorder": "reversed"},
        },
    }


def _slice(best, axis, objective):
    drawn = [r for r in best if axis.name in r.hyperparameters]
    values = [r.hyperparameters[axis.name] for r in drawn]
    x, scale = _on_axis(values, axis)
    dots = {
        "x": x,
        "y": [record.score for record in drawn],
        "mode": "markers",
        "type": "scatter",
        "text": [
            f"trial {r.trial}<br>{html.escape(axis.name)} "
            f"{html.escape(shown(v))}<br>{objective} {shown(r.score)}"
            for r, v in zip(drawn, values, strict=True)
        ],
        "hoverinfo": "text",
        "marker": {
            "size": 8,
            "color": _COLORS[0],
            "opacity": 0.75,
        },
    }
    ring = {
        **dots,
        "x": x[:1],
        "y": dots["y"][:1],
        "text": dots["text"][:1],
        "marker": {
            "size": 16,
            "symbol": "circle-open",
            "color": _COLORS[4],
            "line": {"width": 2.5},
        },
    }
    return {
        "data": [dots, ring] if drawn and drawn[0] is best[0] else [dots],
        "layout": {
            "xaxis": {"title": {"text": axis.name}, **scale},
            "yaxis": {"title": {"text": objective}},
            "margin": {"l": 60, "r": 15, "t": 15, "b": 50},
            "showlegend": False,
        },
    }


def _on_axis(values, axis):
    """Returns the values as drawn, and the settings of the axis."""
    if axis.kind == "category":
        names = [str(value) for value in axis.values]
        order = {"categoryorder": "array", "categoryarray": names}
        return [str(v) for v in values], {"type": "category", **order}
    if axis.kind == "log":
        return values, {"type": "log", "exponentformat": "power", "dtick": 1}
    if axis.kind == "one_minus_log":
        # 1 - β on a reversed logarithmic axis whose ticks are named by β.
        ticks = [d * 10.0**-e for e in range(6, 0, -1) for d in (1, 2, 5)]
        return [1 - value for value in values], {
            "type": "log",
            "autorange": "reversed",
            "tickvals": ticks,
            "ticktext": [f"{1 - tick:.9g}" for tick in ticks],
        }
    few = all(isinstance(v, int) for v in values) and len(set(values)) <= 10
    # Half a layer is no tick.
    return values, {"type": "linear", **({"dtick": 1} if few else {})}


def _sentence(manifest, records, best):
    data, settings = manifest["data"], manifest["settings"]
    top = best[0]
    found = ", ".join(
        f"{html.escape(name)} {html.escape(shown(value))}"
        for name, value in top.hyperparameters.items()
    )
    return (
        f"{len(records)} trials of {settings.epochs} epochs on "
        f"{data['train']:,} training examples of "
        f"{html.escape(data['name'])}, judged by "
        f"{html.escape(manifest['objective']['name'])} on {data['dev']:,} "
        f"others. The best is trial {top.trial}: {found}."
    )


def _facts(manifest, records):
    result = manifest["result"]
    seconds = [record.seconds for record in records if record.seconds]
    facts = {
        "accuracy on the test set": f"{result['test_accuracy']:.1%}",
        "accuracy on the development set": f"{result['dev_accuracy']:.1%}",
        "trials": str(len(records)),
        "training time a trial": f"{sum(seconds) / max(len(seconds), 1):.2g} s",
    }
    return "".join(
        f'<div class="fact"><b>{value}</b><span>{what}</span></div>'
        for what, value in facts.items()
    )


def _leaderboard(best, axes, objective, at_most=10):
    names = [axis.name for axis in axes]
    head = ["trial", objective, *names, "best epoch", "seconds"]
    rows = [
        [record.trial, record.score]
        + [record.hyperparameters.get(name) for name in names]
        + [record.best_epoch, record.seconds and f"{record.seconds:.2f}"]
        for record in best[:at_most]
    ]
    return _table(head, rows, first_is_best=True)


def _failures(records):
    failed = [record for record in records if record.status == "failed"]
    if not failed:
        return ""
    rows = [[record.trial, record.message] for record in failed]
    table = _table(["trial", "why"], rows, text=True)
    return f'<h2>Failed trials</h2><div class="card">{table}</div>'


def _provenance(manifest, records):
    settings, data = manifest["settings"], manifest["data"]
    rows = [
        ["data", f"{data['name']}: {data['source']}"],
        ["fingerprint", data["fingerprint"][:16]],
        [
            "training, development, test",
            f"{data['train']:,}, {data['dev']:,}, {data['test']:,}",
        ],
        ["search space", settings.space],
        ["seed", settings.seed],
        ["versions", ", ".join(map(" ".join, manifest["versions"].items()))],
        ["written", manifest["written"].replace("T", " ")],
    ]
    return _table(None, rows, text=True)


def _table(head, rows, *, first_is_best=False, text=False):
    def cells(values, tag, kind=""):
        return "".join(
            f"<{tag}{kind}>{html.escape(shown(v))}</{tag}>" for v in values
        )

    kind = ' class="text"' if text else ""
    body = [
        f"<tr{' class=best' if first_is_best and n == 0 else ''}>"
        f"{cells(row, 'td', kind)}</tr>"
        for n, row in enumerate(rows)
    ]
    top = [f"<tr>{cells(head, 'th', kind)}</tr>"] if head else []
    return f"<table>{''.join(top + body)}</table>"


def _place(id_, height):
    return f'<div id="{id_}" style="height:{height}px"></div>'
