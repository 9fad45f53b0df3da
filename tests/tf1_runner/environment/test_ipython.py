"""Magics, commands, and cells that once failed."""

import json
import sys

import pytest

from tfcourse.tf1_runner import run_script
from tfcourse.tf1_runner.environment.ipython import Shell


@pytest.fixture
def shell(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "data").mkdir()
    return Shell()


def test_cd_changes_the_folder_and_goes_back(shell, tmp_path, capsys):
    shell.magic("cd data")
    inside = shell.magic("pwd")
    shell.magic("cd -")
    shell.magic("cd nowhere")

    assert inside == str(tmp_path / "data")
    assert shell.magic("pwd") == str(tmp_path)
    assert "No such file or directory: 'nowhere'" in capsys.readouterr().out


@pytest.mark.parametrize("command", ["pip --version", "pip3 --version"])
def test_pip_is_that_of_the_scripts_environment(shell, command, capfd):
    magic = shell.getoutput(command)
    shell.magic("pip --version")
    shell.system(command)

    # It tells where it lies.
    lines = [*magic, *capfd.readouterr().out.splitlines()]
    assert len(lines) == 3
    assert all(sys.prefix in line for line in lines)


def test_python_is_the_one_that_runs(shell):
    command = 'python -c "import sys; print(sys.prefix)"'

    assert shell.getoutput(command) == [sys.prefix]


def test_variables_of_the_script_are_filled_in(shell, monkeypatch):
    monkeypatch.setattr(sys.modules["__main__"], "n_e", 7, raising=False)

    assert shell.getoutput("echo {n_e} $n_e $HOMELESS x") == ["7 7 x"]


def test_a_cell_that_failed_as_it_does_is_passed_over(
    tmp_path, capfd, monkeypatch
):
    monkeypatch.chdir(tmp_path)

    def cell(source, error=None):
        outputs = [{"output_type": "error", "ename": error}] if error else []
        return {"cell_type": "code", "source": source, "outputs": outputs}

    cells = [cell("1 / 0", "ZeroDivisionError"), cell("print('on')")]
    (tmp_path / "a.ipynb").write_text(json.dumps({"cells": cells}))
    cells = [cell("1 / 0", "NameError"), cell("print('never')")]
    (tmp_path / "b.ipynb").write_text(json.dumps({"cells": cells}))

    assert run_script("a.ipynb") == 0
    assert run_script("b.ipynb") == 1

    out, error = capfd.readouterr()
    assert out == "on\n"
    assert "a.ipynb, cell 1 ends with ZeroDivisionError, as its stored" in error
