"""Bias and variance: what keeps the error high, and what the course advises."""

import dataclasses
from typing import Any

from tfcourse.utils.notebook import Shown
from tfcourse.utils.validation import check_number

ADVICE = {
    "avoidable bias": (
        "fit the training set better: a bigger network, longer training or a "
        "better optimizer, another architecture"
    ),
    "variance": (
        "generalise better: more data, regularization (L2, dropout, data "
        "augmentation, early stopping), another architecture"
    ),
    "data mismatch": (
        "make the training data more like the dev set: look at examples to "
        "see how they differ, and collect or synthesise more of that kind"
    ),
    "overfit to dev": "get a bigger dev set, since you have tuned to this one",
}


@dataclasses.dataclass(frozen=True, repr=False)
class BiasVariance(Shown):
    """The gaps between the errors of a model, and what to do about them.

    All are shares, so 0.15 is 15 %. A gap that was not measured is `None`.

    Attributes:
        train_error: Error on the training set.
        dev_error: Error on the dev set.
        bayes_error: The lowest error that anything can reach.
        test_error: Error on the test set, if known.
        train_dev_error: Error on data of the training distribution that was
            not trained on, if known.
        threshold: The size from which a gap is called high.
    """

    train_error: float
    dev_error: float
    bayes_error: float = 0.0
    test_error: float | None = None
    train_dev_error: float | None = None
    threshold: float = 0.02

    @property
    def avoidable_bias(self) -> float:
        """Training error minus Bayes error."""
        return self.train_error - self.bayes_error

    @property
    def variance(self) -> float:
        """Error on new data like the training data, minus training error."""
        unseen = self.train_dev_error
        return (self.dev_error if unseen is None else unseen) - self.train_error

    @property
    def data_mismatch(self) -> float | None:
        """Dev error minus the error on new data like the training data."""
        if self.train_dev_error is None:
            return None
        return self.dev_error - self.train_dev_error

    @property
    def overfit_to_dev(self) -> float | None:
        """Test error minus dev error."""
        return (
            None
            if self.test_error is None
            else (self.test_error - self.dev_error)
        )

    @property
    def gaps(self) -> dict[str, float]:
        """The measured gaps by name, in the order of the course."""
        named = {
            "avoidable bias": self.avoidable_bias,
            "variance": self.variance,
            "data mismatch": self.data_mismatch,
            "overfit to dev": self.overfit_to_dev,
        }
        return {name: gap for name, gap in named.items() if gap is not None}

    @property
    def high(self) -> tuple[str, ...]:
        """Names of the gaps of at least `threshold`, the largest first."""
        return tuple(
            name
            for name, gap in sorted(self.gaps.items(), key=lambda it: -it[1])
            # 0.1 - 0.08 is a little more than 0.02, 0.17 - 0.15 a little less.
            if gap >= self.threshold - 1e-9
        )

    @property
    def high_bias(self) -> bool:
        return "avoidable bias" in self.high

    @property
    def high_variance(self) -> bool:
        return "variance" in self.high

    @property
    def dominant(self) -> str | None:
        """Name of the largest gap that is high, or `None`."""
        return self.high[0] if self.high else None

    @property
    def advice(self) -> tuple[str, ...]:
        """What the course advises for each high gap, the largest first."""
        return tuple(ADVICE[name] for name in self.high)

    @property
    def notes(self) -> tuple[str, ...]:
        """What is odd about the errors, in sentences."""
        notes = []
        if self.avoidable_bias < -1e-9:
            notes.append(
                "The training error is below the Bayes error: either the "
                "Bayes error is estimated too high, or the network has "
                "memorized the training set."
            )
        if self.variance < -1e-9:
            notes.append(
                "New data are easier than the training set: measure the "
                "training error without dropout and augmentation."
            )
        return tuple(notes)

    def __str__(self):
        lines = []
        for name, error, gap, high in self._rows():
            line = f"{name:<16}{error:>8}"
            if gap:
                line += f"   {gap}{', high' if high else ''}"
            lines.append(line)
        return "\n".join([*lines, self._said()])

    def _as_table(self):
        rows = [
            (name, error, f"{gap} (high)" if high else gap)
            for name, error, gap, high in self._rows()
        ]
        return ("", "error", "gap"), rows, self._said()

    def _said(self):
        """Returns what to do, a sentence a line."""
        advice = [f"{name.capitalize()}: {ADVICE[name]}." for name in self.high]
        return "\n".join([*(advice or ["No gap is high."]), *self.notes])

    def _rows(self):
        """Yields the errors and the gaps to those above, and which is high."""
        errors = [
            ("Bayes error", self.bayes_error, None),
            ("training error", self.train_error, "avoidable bias"),
            ("train-dev error", self.train_dev_error, "variance"),
            (
                "dev error",
                self.dev_error,
                "variance" if self.train_dev_error is None else "data mismatch",
            ),
            ("test error", self.test_error, "overfit to dev"),
        ]
        for name, error, gap in errors:
            if error is not None:
                size = f"{gap} {100 * self.gaps[gap]:.2f} %" if gap else ""
                yield name, f"{100 * error:.2f} %", size, gap in self.high


def bias_variance(
    train_error: Any,
    dev_error: float | None = None,
    bayes_error: float = 0.0,
    test_error: float | None = None,
    train_dev_error: float | None = None,
    threshold: float = 0.02,
) -> BiasVariance:
    r"""Splits the error of a model into bias, variance and the gaps after them.

    $$\begin{aligned}
      \text{avoidable bias} &= \text{train} - \text{Bayes}, &
      \text{variance} &= \text{train-dev} - \text{train}, \\
      \text{data mismatch} &= \text{dev} - \text{train-dev}, &
      \text{overfit to dev} &= \text{test} - \text{dev}.
    \end{aligned}$$

    Without a train-dev set, train and dev data are taken to be alike and the
    variance is dev − train. Keras has nothing of the kind.

    Args:
        train_error: Error on the training set, a share in [0, 1]. Or the
            `History` that `fit` returned, for the errors of its last epoch:
            1 − accuracy. Keras measures the training accuracy during the epoch,
            with dropout on; `model.evaluate` afterwards gives a better figure.
        dev_error: Error on the dev set. Leave it out with a `History`, which
            has it.
        bayes_error: The lowest error that anything can reach, or that of
            people.
        test_error: Error on the test set, if known.
        train_dev_error: Error on data of the training distribution that was
            held out, if known.
        threshold: The size from which a gap is called high, in (0, 1].

    Returns:
        A `BiasVariance`.

    Raises:
        TypeError: If an error is not a number.
        ValueError: If an error lies outside [0, 1], or a `History` does not
            have exactly one accuracy, measured on both sets.

    Example:

    >>> result = bias_variance(train_error=0.15, dev_error=0.30)
    >>> result.high
    ('avoidable bias', 'variance')
    >>> print(bias_variance(0.15, 0.16, bayes_error=0.15))
    Bayes error      15.00 %
    training error   15.00 %   avoidable bias 0.00 %
    dev error        16.00 %   variance 1.00 %
    No gap is high.

    Reference:
        Ng, "Improving Deep Neural Networks", week 1, "Bias/variance", and
        "Structuring Machine Learning Projects", weeks 1 and 2.
    """
    if hasattr(train_error, "history"):
        if dev_error is not None:
            raise ValueError(
                "`dev_error` of bias_variance is already in the `History`. "
                f"Received: dev_error={dev_error}"
            )
        train_error, dev_error = _last_errors(train_error.history)
    errors = {
        "train_error": train_error,
        "dev_error": dev_error,
        "bayes_error": bayes_error,
        "test_error": test_error,
        "train_dev_error": train_dev_error,
    }
    optional = ("test_error", "train_dev_error")
    return BiasVariance(
        threshold=_share("threshold", threshold),
        **{
            name: None
            if error is None and name in optional
            else _share(name, error)
            for name, error in errors.items()
        },
    )


def _share(name, value):
    try:
        check_number(value, name, "bias_variance", "[0, 1]")
    except ValueError as error:
        hint = (
            f" Give {value:g} % as {value / 100:g}." if 1 < value <= 100 else ""
        )
        raise ValueError(f"{error}.{hint}") from None
    return float(value)


def _last_errors(logs):
    """Returns the training and the dev error of the last epoch in the logs."""
    accuracies = [
        name
        for name in logs
        if f"val_{name}" in logs and name.endswith(("accuracy", "acc"))
    ]
    if len(accuracies) != 1:
        raise ValueError(
            "The `History` given to bias_variance must have one accuracy and "
            "its `val_` twin: compile with `metrics=['accuracy']` and give "
            "`validation_data` to `fit`; or give the errors as numbers. "
            f"Received: {sorted(logs)}"
        )
    (name,) = accuracies
    return 1 - logs[name][-1], 1 - logs[f"val_{name}"][-1]
