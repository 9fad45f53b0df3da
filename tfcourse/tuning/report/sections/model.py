"""How good the best model is on each set, as HTML."""

import html

from tfcourse.tuning.report.advice.gaps import errors, least_error
from tfcourse.tuning.report.sections.html_table import Html, table
from tfcourse.tuning.results.scores import NAMES
from tfcourse.tuning.results.search_results import SearchResults
from tfcourse.utils.text import format_score

_SETS = {"train": "training", "dev": "development", "test": "test"}
# More classes than this make no readable square.
_MOST_IN_CONFUSION = 12


def model(results: SearchResults) -> str:
    """Returns the scores of each set, and a row a class; or a sentence."""
    if not results.evaluation:
        return (
            '<p class="soft">The model is scored once the search is '
            "finished.</p>"
        )
    return (
        f"{_scores(results)}{_errors(results)}"
        f"{_classes(results.evaluation['test'])}"
    )


def _scores(results):
    found = results.evaluation
    names = list(found["test"]["scores"])
    head = ["set", "examples", *(NAMES.get(name, name) for name in names)]
    rows = [
        [what, f"{found[part]['examples']:,}"]
        + [_with_interval(found[part], name) for name in names]
        for part, what in _SETS.items()
        if part in found
    ]
    result = results.manifest.get("result") or {}
    rows += _of_ensemble(result.get("ensemble"), found, names)
    others = result.get("baselines", {})
    rows += [
        [f"test, {other}", f"{found['test']['examples']:,}"]
        + [
            format_score(round(reached["test"][n], 4))
            if n in reached["test"]
            else ""
            for n in names
        ]
        for other, reached in others.items()
    ]
    return (
        '<p class="soft">In brackets: 95 % intervals, the range to expect on '
        "other examples of the same kind.</p><div "
        f'class="card">{table(head, rows)}</div>'
    )


def _of_ensemble(ensemble, found, names):
    """Returns the rows on the mean of several models, if there is one."""
    if not ensemble:
        return []
    what = f"ensemble of {len(ensemble['trials'])}"
    return [
        [f"{_SETS[part]}, {what}", f"{found[part]['examples']:,}"]
        + [
            _with_interval(
                {"scores": scores, "intervals": ensemble["intervals"][part]},
                name,
            )
            for name in names
        ]
        for part, scores in ensemble["scores"].items()
        if part in found
    ]


def _with_interval(found, name):
    score = format_score(found["scores"][name])
    bounds = found["intervals"].get(name)
    if not bounds:
        return Html(score)
    low, high = map(format_score, bounds)
    return Html(f"<b>{score}</b> ({low} to {high})")


def _errors(results):
    """Returns the course's table of errors and the gaps between them."""
    found = errors(results)
    if found is None:
        return ""
    whose, least = least_error(results)
    where = f"of {whose}, on the test set"
    rows = [["lowest known", f"{least:.1%}", where]]
    gaps = {
        "training error": (found.train_error, "avoidable bias"),
        "development error": (found.dev_error, "variance"),
        "test error": (found.test_error, "overfit to dev"),
    }
    for name, (error, gap) in gaps.items():
        rows.append([name, f"{error:.1%}", _gap(gap, found)])
    what = (
        "the share of wrong answers"
        if "accuracy" in results.evaluation["test"]["scores"]
        else "the unexplained share of the variance, 1 − R²"
    )
    return (
        '<h3>Bias and variance</h3><p class="soft">The course\'s table: each '
        f"error ({what}) and how much it exceeds the one above. A gap counts "
        f"as high from {found.threshold:.1%}"
        + (", below which it may be chance" if found.threshold > 0.02 else "")
        + ". Nobody knows the lowest possible error; in its place, bias is "
        f"measured from the lowest error on unseen examples, {whose}'s on "
        "the test set.</p><div "
        f'class="card">{table(["", "error", "gap"], rows)}</div>'
    )


def _gap(name, found):
    """Returns a gap as text; an error that lies below has none."""
    gap = found.gaps[name]
    if round(gap, 3) < 0:
        return f"no {name}, {-gap:.1%} below"
    return Html(f"{name} {gap:.1%}{'<b>, high</b>' * (name in found.high)}")


def _classes(test):
    if "classes" not in test:
        return ""
    measures = ("precision", "recall", "f1-score")
    rows = [
        [label]
        + [f"{row[measure]:.3f}" for measure in measures]
        + [f"{int(row['support']):,}"]
        for label, row in test["classes"].items()
    ]
    head = ["class", "precision", "recall", "F1", "examples"]
    parts = [
        "<h3>Each class, on the test set</h3>"
        f'<div class="card">{table(head, rows, sortable=True)}</div>'
    ]
    if len(test["labels"]) <= _MOST_IN_CONFUSION:
        parts.append(_confusion(test["labels"], test["confusion"]))
    return "".join(parts)


def _confusion(labels, rows):
    cells = [
        [Html(f"<b>{html.escape(label)}</b>")]
        + [
            Html(f"<b>{int(n)}</b>") if i == j else ("" if n == 0 else n)
            for j, n in enumerate(row)
        ]
        for i, (label, row) in enumerate(zip(labels, rows, strict=True))
    ]
    return (
        '<h3>Confusion</h3><p class="soft">Each row is a true class, each '
        "column a predicted one; correct answers are on the diagonal.</p><div "
        f'class="card">{table(["", *labels], cells)}</div>'
    )
