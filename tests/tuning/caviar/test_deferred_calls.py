"""Calls that wait: are all made, once, in order, whatever happens?"""

import pytest

from tfcourse.tuning.caviar.deferred_calls import DeferredCalls


def test_calls_are_made_at_once_unless_deferred():
    made, calls = [], DeferredCalls()
    calls.call(made.append, 1)
    assert made == [1]
    with calls.deferred():
        calls.call(made.append, 2)
        assert made == [1]
    assert made == [1, 2]
    calls.call(made.append, 2)
    assert made == [1, 2, 2]


def test_each_call_is_made_once_in_the_order_of_the_first():
    made, calls = [], DeferredCalls()
    append = made.append
    with calls.deferred():
        for value in (2, 1, 2):
            calls.call(append, value)
    assert made == [2, 1]


def test_an_error_does_not_keep_them_from_being_made():
    made, calls = [], DeferredCalls()

    def interrupted():
        with calls.deferred():
            calls.call(made.append, 1)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert made == [1]
