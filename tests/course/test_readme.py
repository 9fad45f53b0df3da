"""The README's code, pasted into one Python prompt, block after block."""

import code
import pathlib
import re
import subprocess
import sys
import traceback

import pytest

ROOT = pathlib.Path(__file__).parents[2]
PAGES = [ROOT / "README.md", ROOT / "README.zh.md"]
# Less of each, for a test.
LESS = {"max_trials=64": "max_trials=4", "epochs=10": "epochs=1"}


def blocks(page):
    text = page.read_text(encoding="utf-8")
    return re.findall(r"^```python\n(.*?)^```", text, re.M | re.S)


class Prompt(code.InteractiveConsole):
    """A prompt that compiles what is pasted, and does not run it."""

    def __init__(self):
        super().__init__()
        self.statements, self.said = 0, ""

    def runcode(self, code):
        self.statements += 1

    def showsyntaxerror(self, *args, **kwargs):
        # Not by `sys.excepthook`, which may be anybody's.
        self.write(traceback.format_exc())

    def write(self, data):
        self.said += data


def paste(prompt, block):
    """Pastes a block, and presses Enter; returns whether it waits for more."""
    return [prompt.push(line) for line in [*block.splitlines(), ""]][-1]


@pytest.mark.parametrize(
    "page", [p for p in PAGES if p.exists()], ids=lambda page: page.name
)
def test_every_block_can_be_pasted(page):
    prompt = Prompt()
    for block in blocks(page):
        assert not paste(prompt, block), block
    assert prompt.said == ""
    assert prompt.statements > 20


def test_a_function_with_an_empty_line_cannot_be_pasted():
    prompt = Prompt()
    paste(prompt, "def f():\n    x = 1\n\n    return x\n")
    assert "IndentationError" in prompt.said


@pytest.mark.slow
def test_the_blocks_run_one_after_the_other(tmp_path):
    def run(*command, **kwargs):
        done = subprocess.run(
            [sys.executable, *command],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            **kwargs,
        )
        assert done.returncode == 0, done.stderr
        return done

    cli = "from tfcourse.cli import main; main()"
    options = "--trials 4 --epochs 1 --out runs/digits"
    run("-c", cli, "tune", *options.split())
    pasted = "\n\n".join(blocks(PAGES[0]))
    for much, less in LESS.items():
        assert much in pasted
        pasted = pasted.replace(much, less)
    done = run("-i", input=f"{pasted}\n\nprint('the', 'end')\n")

    assert "Traceback" not in done.stderr
    assert "Error" not in done.stderr
    assert "the end" in done.stdout
    assert (tmp_path / "runs/long/journal.jsonl").exists()
