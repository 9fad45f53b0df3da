"""The report's plot of what a regression gets wrong."""

from typing import Any

from tfcourse.tuning.results.search_results import SearchResults
from tfcourse.utils.text import format_score


def residuals(results: SearchResults) -> dict[str, Any] | None:
    """Returns what is true less what is predicted, against the latter.

    Of the examples of the test set, or a thousand of them.

    Returns:
        A plot, or `None` if the search was for classes or is not finished.
    """
    test = results.evaluation.get("test", {})
    if "predicted" not in test:
        return None
    pairs = list(zip(test["y"], test["predicted"], strict=True))
    return {
        "data": [
            {
                "x": [predicted for _, predicted in pairs],
                "y": [true - predicted for true, predicted in pairs],
                "mode": "markers",
                "type": "scatter",
                "text": [
                    f"true {format_score(true)}<br>predicted "
                    f"{format_score(predicted)}"
                    for true, predicted in pairs
                ],
                "hoverinfo": "text",
                "marker": {
                    "size": 7,
                    "color": "--c0",
                    "opacity": 0.7,
                    "line": {"width": 1, "color": "--card"},
                },
            }
        ],
        "layout": {
            "xaxis": {"title": {"text": "predicted"}},
            "yaxis": {"title": {"text": "residual: true − predicted"}},
            "margin": {"l": 60, "r": 20, "t": 20, "b": 50},
            "shapes": [
                {
                    "type": "line",
                    "xref": "paper",
                    "x0": 0,
                    "x1": 1,
                    "y0": 0,
                    "y1": 0,
                    "line": {"width": 1.5, "dash": "dash", "color": "--soft"},
                }
            ],
            "showlegend": False,
        },
    }
