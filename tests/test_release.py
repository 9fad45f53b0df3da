"""The release script: does it refuse what is not ready?"""

import pathlib
import shutil
import subprocess

import pytest

ROOT = pathlib.Path(__file__).parents[1]


def git(folder, *words):
    subprocess.run(["git", *words], cwd=folder, check=True, capture_output=True)


@pytest.fixture
def checkout(tmp_path):
    """A repository with a version, its heading, and the script."""
    (tmp_path / ".ci").mkdir()
    shutil.copy(ROOT / ".ci/release", tmp_path / ".ci/release")
    (tmp_path / "tfcourse").mkdir()
    version = '__version__ = "1.2.3"\n'
    (tmp_path / "tfcourse/__init__.py").write_text(version)
    (tmp_path / "CHANGELOG.md").write_text("## 1.2.3 (2026-12-01)\n")
    git(tmp_path, "init", "--quiet")
    git(tmp_path, "config", "user.name", "a")
    git(tmp_path, "config", "user.email", "a@b.c")
    git(tmp_path, "add", ".")
    git(tmp_path, "commit", "--quiet", "-m", "All")
    return tmp_path


def refusal(folder):
    # Without `python`: were nothing refused, nothing would be built either.
    done = subprocess.run(
        [shutil.which("bash"), ".ci/release"],
        cwd=folder,
        capture_output=True,
        text=True,
        env={"PATH": str(tools(folder))},
    )
    assert done.returncode
    return done.stderr


def tools(folder):
    path = folder.parent / "tools"
    path.mkdir(exist_ok=True)
    for name in ("git", "sed", "grep", "dirname", "rm"):
        if not (path / name).exists():
            (path / name).symlink_to(shutil.which(name))
    return path


def test_a_heading_without_a_date_is_refused(checkout):
    (checkout / "CHANGELOG.md").write_text("## 1.2.3 (unreleased)\n")
    assert "no heading '## 1.2.3 (DATE)'" in refusal(checkout)


def test_changes_that_are_not_committed_are_refused(checkout):
    (checkout / "new.py").write_text("")
    assert "not committed" in refusal(checkout)


def test_a_version_that_is_out_is_refused(checkout):
    git(checkout, "tag", "v1.2.3")
    assert "a tag v1.2.3 already" in refusal(checkout)


def test_what_is_ready_is_built(checkout):
    assert "python" in refusal(checkout)
