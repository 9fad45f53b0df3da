"""What the best few trials reach with other seeds, as HTML."""

import html

from tfcourse.tuning.report.sections.html_table import table
from tfcourse.tuning.results.search_results import SearchResults
from tfcourse.utils.text import format_score


def seeds(results: SearchResults) -> str:
    """Returns a row for each of them; nothing if there are none."""
    found = results.replicates
    if not found:
        return ""
    scores = {record.trial: record.score for record in results.best}
    head = ["trial", "in the search", "mean", "deviation", "lowest", "highest"]
    rows = [
        [one.trial]
        + [
            format_score(round(value, 4))
            for value in (
                scores[one.trial],
                one.mean,
                one.deviation,
                min(one.scores),
                max(one.scores),
            )
        ]
        for one in found
    ]
    return (
        '<h3>With other seeds</h3><p class="soft">The best trials '
        f"of the search, each trained again with {len(found[0].scores)} "
        f"seeds, by {html.escape(results.objective)}. The best mean was "
        "chosen; the model that was kept is that of its best seed. Differences "
        "smaller than the deviations may be luck.</p><div "
        f'class="card">{table(head, rows, first_is_best=True)}</div>'
    )
