"""Imports without a search for garbage: only while they last."""

import gc

import pytest

from tfcourse.cli.terminal.quick_imports import quick_imports


@pytest.fixture
def searches():
    """The generations that were looked through, as they are."""
    found = []

    def note(phase, info):
        found.append(info["generation"])

    frozen = gc.get_freeze_count()
    gc.callbacks.append(note)
    yield found
    gc.callbacks.remove(note)
    if not frozen:
        gc.unfreeze()


def test_garbage_is_sought_after_the_imports_only(searches):
    with quick_imports():
        kept = [[] for _ in range(100_000)]
        assert not searches
        before = gc.get_freeze_count()
    assert gc.get_freeze_count() >= before + len(kept)
    assert gc.isenabled()
    more = [[] for _ in range(100_000)]
    assert searches
    assert len(more) == len(kept)


def test_a_failed_import_leaves_the_collector_on():
    with pytest.raises(ModuleNotFoundError), quick_imports():
        import nowhere_at_all  # noqa: F401
    assert gc.isenabled()


def test_a_collector_that_is_off_stays_off(searches):
    gc.disable()
    try:
        with quick_imports():
            pass
        assert not gc.isenabled()
    finally:
        gc.enable()
