"""Python 2, also where Python 3 can read it."""

import json

import pytest

from tfcourse.tf1_runner import run_script
from tfcourse.tf1_runner.source.program import read_sources
from tfcourse.tf1_runner.source.python_2 import uses_python_2

SCRIPT = """
import cPickle, itertools, pickle, Queue, StringIO, string, sys, urllib2
import urllib
import tensorflow as tf
tf.placeholder
found = {"a": 7}
for name, value in found.iteritems():
    print(name, value / 2)
print(found.has_key("a"), list(found.itervalues()), found.keys()[0])
print(iter([5]).next(), map(str, [1])[0], zip("a", "b")[0][0])
for i in xrange(1): print(unicode(i))
with open("p.pkl", "w") as file:
    cPickle.dump({"x": [1]}, file)
with open("p.pkl", "r") as file:
    print(cPickle.load(file)["x"])
print(StringIO.StringIO("text").read(), string.uppercase[0])
print(list(itertools.izip([1], [2])), urllib.quote("a b"))
print(urllib2.urlopen and urllib2.URLError and Queue.Queue)
"""


@pytest.mark.parametrize(
    "text, old",
    [
        ("for i in xrange(3): pass", True),
        ("d.iteritems()", True),
        ("import cPickle as pickle", True),
        ("from urllib2 import urlopen", True),
        ("d.has_key(1)", True),
        ("for i in range(3): pass", False),
        ("xrange = range\nxrange(3)", False),
        ("from six.moves import xrange\nxrange(3)", False),
        ("try:\n    xrange\nexcept NameError:\n    xrange = range", False),
        (
            "try:\n    import cPickle as p\nexcept ImportError:\n"
            "    import pickle as p",
            False,
        ),
        ("import sys\nif sys.version_info[0] < 3: d.iteritems()", False),
        ("def f(unicode): return unicode", False),
        ("print 1", False),
    ],
)
def test_what_only_python_2_ran_is_told(text, old):
    assert uses_python_2(text) == old


def test_a_program_that_parses_runs_as_python_2(tmp_path, capfd, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a.py").write_text(SCRIPT)

    assert run_script("a.py") == 0

    # Several values in brackets were a tuple to print.
    lines = capfd.readouterr().out.splitlines()
    assert lines[:4] == ["('a', 3)", "(True, [7], 'a')", "(5, '1', 'a')", "0"]
    assert lines[4:7] == ["[1]", "('text', 'A')", "([(1, 2)], 'a%20b')"]


@pytest.mark.parametrize(
    "metadata, rounds",
    [
        ({"kernelspec": {"name": "python2"}}, True),
        ({"language_info": {"version": "2.7.6"}}, True),
        ({"kernelspec": {"name": "python3"}}, False),
        ({}, False),
    ],
)
def test_a_notebook_is_what_its_kernel_says(tmp_path, metadata, rounds):
    path = tmp_path / "a.ipynb"
    cell = {"cell_type": "code", "source": "x = 7 / 2\nprint(x, 1)"}
    path.write_text(json.dumps({"cells": [cell], "metadata": metadata}))

    (source,) = read_sources(path)

    assert source.rounds_division == source.python_2 == rounds
    assert ("print((x, 1))" in source.text) == rounds
