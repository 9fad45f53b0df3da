"""Settings of `--evolve`: what follows from it, and what contradicts it."""

import dataclasses

import pytest

from tfcourse.errors import InputError
from tfcourse.runs.settings import Settings


def test_a_population_says_how_many_trials_there_are():
    settings = Settings(evolve=True)
    assert (settings.trials, settings.rounds) == (32, 1)
    assert (settings.interval, settings.quantile) == (1, 0.25)
    assert Settings(evolve=True, population=8).trials == 8
    assert Settings(**dataclasses.asdict(settings)) == settings


@pytest.mark.parametrize(
    "given, message",
    [
        ({"folds": 3}, "--evolve takes no --folds"),
        ({"seeds": 3}, "--evolve takes no --seeds"),
        ({"early_stopping": 3}, "--evolve takes no --early-stopping"),
        ({"time_limit": 3.0}, "--evolve takes no --time-limit"),
        ({"target_score": 0.9}, "--evolve takes no --target-score"),
        ({"strategy": "serial"}, "leave out --evolve, or --strategy serial"),
        ({"population": 1}, "two members at least.*--population 1"),
        ({"interval": 0}, "--interval must be 1 or more"),
        ({"quantile": 0.6}, "--quantile must be more than 0 and at most 0.5"),
        ({"evolve": False, "interval": 2}, "add --evolve, or leave out"),
        ({"evolve": False, "quantile": 0.2}, "add --evolve, or leave out"),
    ],
)
def test_what_contradicts_is_one_sentence(given, message):
    with pytest.raises(InputError, match=message):
        Settings(**{"evolve": True, **given})


@pytest.mark.parametrize(
    "begun, given, message",
    [
        ({"evolve": True}, {"trials": 64}, "takes no --trials"),
        ({"evolve": True}, {"rounds": 2}, "takes no --rounds"),
        ({"evolve": True}, {"population": 8}, "started with --population 32"),
        ({"evolve": True}, {"interval": 2}, "started with --interval 1"),
        ({}, {"evolve": True}, "started without --evolve"),
    ],
)
def test_a_run_goes_on_as_it_was_begun(begun, given, message):
    with pytest.raises(InputError, match=message):
        Settings(**begun).resumed(**given)
