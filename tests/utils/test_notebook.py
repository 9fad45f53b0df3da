"""What a prompt and a notebook show of objects."""

import sys
import types

from tfcourse.utils.notebook import Shown, html_table, in_notebook


class Sum(Shown):
    def __str__(self):
        return "1 < 2"


class Listed(Sum):
    def _as_table(self):
        return ("a", "b"), [(1, "<b>")], "first\nsecond"


def test_a_table_shows_its_cells_as_text():
    table = html_table(["x < y"], [["<script>"]], "A & B")

    assert "<th>x &lt; y</th>" in table
    assert "<td>&lt;script&gt;</td>" in table
    assert "<caption>A &amp; B</caption>" in table


def test_an_object_is_shown_as_it_is_printed():
    assert repr(Sum()) == "1 < 2"
    assert Sum()._repr_html_() == "<pre>1 &lt; 2</pre>"


def test_an_object_with_a_table_is_shown_as_one():
    shown = Listed()._repr_html_()

    assert "<td>1</td><td>&lt;b&gt;</td>" in shown
    assert shown.endswith("<p>first</p><p>second</p>")


def test_a_terminal_is_no_notebook(monkeypatch):
    monkeypatch.delitem(sys.modules, "IPython", raising=False)
    assert not in_notebook()

    shell = types.SimpleNamespace(config={"TerminalIPythonApp": {}})
    ipython = types.SimpleNamespace(get_ipython=lambda: shell)
    monkeypatch.setitem(sys.modules, "IPython", ipython)
    assert not in_notebook()

    shell.config = {"IPKernelApp": {}}
    assert in_notebook()
