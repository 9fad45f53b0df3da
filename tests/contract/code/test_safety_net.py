"""What a program would train otherwise than Keras goes alone, unasked."""

import pytest
from keras import layers
from side_by_side import assert_same, compiled, examples, scores, search

from tfcourse.tuning import Caviar
from tfcourse.tuning.population.functional import member


def case():
    def build(hp):
        return compiled(hp, layers.Dense(4, "tanh"), layers.Dense(1))

    return build, examples(), {"epochs": 1}


@pytest.fixture
def another_loss(monkeypatch):
    """A program that has a fault which no check of the model can find."""
    loss_of = member.loss_of
    monkeypatch.setattr(
        member, "loss_of", lambda *args, **kw: 1.01 * loss_of(*args, **kw)
    )


def test_a_program_with_a_fault_trains_nothing(another_loss, tmp_path):
    tuner = assert_same(tmp_path, case)
    (group,) = tuner.groups
    assert (group["how"], group["verified"]) == ("alone", 0)
    why = "one batch gave trial 0000 another `loss` together than alone: "
    assert group["why"].startswith(why)


def test_the_net_can_be_taken_away(another_loss, tmp_path):
    tuner = search(Caviar, tmp_path, case, verify=False)
    (group,) = tuner.groups
    assert (group["how"], group["verified"]) == ("vectorised", 0)


@pytest.mark.slow
def test_trials_are_the_same_with_and_without_it(tmp_path):
    with_it = search(Caviar, tmp_path / "with", case)
    without = search(Caviar, tmp_path / "without", case, verify=False)
    assert [group["verified"] for group in with_it.groups] == [2]
    assert scores(with_it) == scores(without)


def test_it_is_on_or_off():
    with pytest.raises(TypeError, match="`verify` of Caviar"):
        Caviar(lambda hp: None, "loss", verify="yes")
