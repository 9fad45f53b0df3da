"""Babysitting that is written down: when does it nudge, and does it hold?"""

import numpy as np
import pytest

from tfcourse.tuning.panda import Panda, daily_nudge, read_journal


def journal(losses, rates=0.1, name="learning_rate"):
    rates = np.broadcast_to(rates, len(losses))
    return [
        {"metrics": {"loss": loss}, "hyperparameters": {name: float(rate)}}
        for loss, rate in zip(losses, rates, strict=True)
    ]


@pytest.mark.parametrize(
    "losses, rates, expected",
    [
        ([], 0.1, None),
        ([0.5], 0.1, None),
        # Three falls in a row, and not before.
        ([0.9, 0.7, 0.6], 0.1, None),
        ([0.9, 0.7, 0.6, 0.5], 0.1, 0.2),
        ([0.9, 0.7, 0.6, 0.6], 0.1, None),
        # The falls under the rate before do not count twice.
        ([0.9, 0.7, 0.6, 0.5, 0.4], [0.1] * 4 + [0.2], None),
        ([0.9, 0.7, 0.6, 0.5, 0.4, 0.3, 0.2], [0.1] * 4 + [0.2] * 3, 0.4),
        # A bad day, and one within the tolerance.
        ([0.5, 0.56], 0.1, 0.05),
        ([0.5, 0.54], 0.1, None),
        ([0.5, np.nan], 0.1, 0.05),
        ([-0.5, -0.44], 0.1, 0.05),
        ([-0.5, -0.46], 0.1, None),
        ([0.9, 0.5, 0.6], [0.1, 0.1, 0.2], 0.1),
    ],
)
def test_daily_nudge(losses, rates, expected):
    nudge = daily_nudge(
        journal(losses, rates), up=2.0, down=0.5, days=3, tolerance=0.1
    )

    assert nudge == ({} if expected is None else {"learning_rate": expected})


def test_daily_nudge_sets_the_first_rate_of_a_schedule():
    entries = journal([0.5, 0.9], name="initial_learning_rate")

    assert daily_nudge(entries) == {"initial_learning_rate": 0.05}
    assert daily_nudge(journal([0.5, 0.9], name="beta")) == {}


@pytest.mark.parametrize(
    "settings", [{"up": 0.9}, {"down": 0.0}, {"days": 0}, {"tolerance": -1}]
)
def test_daily_nudge_refuses_wrong_settings(settings):
    (name,) = settings
    with pytest.raises(ValueError, match=f"`{name}` of daily_nudge"):
        daily_nudge([], **settings)


def test_policy_drives_the_run(tmp_path, runs):
    def halve(entries):
        assert entries == runs.periods(tmp_path)
        return {
            "learning_rate": entries[-1]["hyperparameters"]["learning_rate"] / 2
        }

    model = runs.fresh()
    runs.train(model, Panda(tmp_path, policy=halve), epochs=3)

    rates = [
        e["hyperparameters"]["learning_rate"] for e in runs.periods(tmp_path)
    ]
    assert rates == pytest.approx([0.001, 0.0005, 0.00025])
    nudges = runs.events(tmp_path, "nudge")
    assert [e["who"] for e in nudges] == ["policy halve"] * 3
    assert float(np.asarray(model.optimizer.learning_rate)) == pytest.approx(
        0.001 / 8
    )


def test_policy_of_a_run_that_goes_on_sees_the_same_journal(tmp_path, runs):
    seen = {"whole": [], "broken": []}

    def train(folder, epochs, *others):
        def look(entries):
            seen[folder].append([e["metrics"] for e in entries])
            return {}

        panda = Panda(tmp_path / folder, policy=look, share=1.0)
        runs.train(runs.fresh(), panda, *others, epochs=epochs)

    train("whole", 4)
    # A checkpoint of epoch 2; epoch 3 is lost.
    with pytest.raises(runs.BrokenOffError):
        train("broken", 4, runs.StopAt(17))
    train("broken", 4)

    assert seen["broken"] == seen["whole"]


@pytest.mark.parametrize(
    "policy, message",
    [
        (lambda entries: 1 / 0, "ZeroDivisionError"),
        (lambda entries: {"nothing": 1.0}, "no hyperparameter 'nothing'"),
        (lambda entries: {"learning_rate": -1.0}, "must lie in"),
    ],
)
def test_mistakes_of_a_policy_do_not_end_the_run(
    tmp_path, runs, policy, message
):
    runs.train(runs.fresh(), Panda(tmp_path, policy=policy), epochs=2)

    assert [e["epoch"] for e in runs.periods(tmp_path)] == [1, 2]
    refusals = [e for e in read_journal(tmp_path) if e.get("event") == "refuse"]
    assert len(refusals) == 2
    assert message in refusals[0]["why"]
