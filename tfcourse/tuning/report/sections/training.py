"""How the trials were trained, and where all of it comes from, as HTML."""

import collections
import datetime
from typing import Any

from tfcourse import __version__
from tfcourse.tuning.report.sections.html_table import count, table
from tfcourse.tuning.results.search_results import SearchResults
from tfcourse.tuning.results.trials import count_programs
from tfcourse.utils.text import format_value


def training(results: SearchResults) -> str:
    """Returns the table of how the trials were trained, alike ones together."""
    if not results.groups:
        return (
            '<p class="soft">The trials were trained one after another, each '
            "on its own.</p>"
        )
    alike = {}
    for group in results.groups:
        key = (group["how"], group["why"], group.get("advice", ""))
        some, members, seconds = alike.get(key, ([], 0, 0.0))
        alike[key] = (
            [*some, group],
            members + group["members"],
            seconds + group["seconds"],
        )
    rows = [
        [
            how,
            count_programs(some) or "",
            members,
            f"{seconds:.3g}",
            f"{seconds / max(members, 1):.2g}",
            why,
            advice,
        ]
        for (how, why, advice), (some, members, seconds) in alike.items()
    ]
    head = ["how", "programs", "trials", "seconds", "seconds per trial", "why"]
    head.append("what to change")
    together = count_programs(results.groups)
    text = (
        '<p class="soft">Trials of the same structure are trained by one '
        "program: side by side or, where that would be slower, one after "
        "another with the same compiled step. This search used "
        f"{count(together, 'such program')}.</p>"
    )
    page = f'{text}<div class="card">{table(head, rows)}</div>'
    if any(group.get("node") for group in results.groups):
        page += f'<div class="card">{_nodes(results.groups)}</div>'
    return page


def _nodes(groups: list[dict[str, Any]]) -> str:
    """Returns the table of the machines that trained."""
    of_nodes = collections.defaultdict(list)
    for group in groups:
        of_nodes[group.get("node") or "this process"].append(group)
    rows = [
        [
            node,
            sum(len(group["trials"]) for group in some),
            f"{sum(group['seconds'] for group in some):.3g}",
            # Of a batch each group tells how often it was begun.
            sum(group.get("attempts", 1) > 1 for group in some) or "",
        ]
        for node, some in sorted(of_nodes.items())
    ]
    return table(["node", "trials", "seconds", "groups restarted"], rows)


def provenance(results: SearchResults) -> str:
    """Returns data, seed and versions."""
    manifest = results.manifest
    now = datetime.datetime.now().isoformat(" ", "minutes")
    report = [["this page", f"tfcourse {__version__}, {now}"]]
    if not manifest:
        rows = [["project", str(results.folder)]]
        return table(None, rows + report, text=True)
    data, settings = manifest["data"], manifest["settings"]
    sizes = ", ".join(f"{data[part]:,}" for part in ("train", "dev", "test"))
    others = {
        name: value
        for name, value in settings.items()
        if name not in ("data", "trials", "epochs", "objective")
        # Nor what was left as it is.
        and value not in (None, False, [], ())
    }
    rows = [
        ["data", f"{data['name']}: {data['source']}"],
        ["fingerprint of the data", data["fingerprint"][:16]],
        ["training, development, test", sizes],
        *[
            [name.replace("_", " "), format_value(v)]
            for name, v in others.items()
        ],
        ["versions", ", ".join(map(" ".join, manifest["versions"].items()))],
        ["searched", manifest.get("written", "").replace("T", " ")],
    ]
    return table(None, rows + report, text=True)
