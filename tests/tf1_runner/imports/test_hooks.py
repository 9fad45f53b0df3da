"""Patches that wait for a module to be imported."""

import importlib.util
import sys

from tfcourse.tf1_runner.imports import hooks


def test_asking_where_a_module_is_does_not_lose_its_patch(
    tmp_path, monkeypatch
):
    (tmp_path / "waited_for.py").write_text("x = 1")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(sys, "meta_path", [*sys.meta_path])
    hooks.after_import({"waited_for": lambda m: setattr(m, "x", 2)})

    assert importlib.util.find_spec("waited_for")
    import waited_for

    assert waited_for.x == 2
    del sys.modules["waited_for"]
