"""The Chinese pages: do they say what the English ones say, as far as code can
tell?
"""

import hashlib
import importlib.util
import json
import pathlib
import re
import sys
import types

import pytest

import tfcourse

ROOT = pathlib.Path(__file__).parents[2]
DOCS = ROOT / "docs"
# Read in English for the time being; the site falls back to it.
NOT_YET: set[str] = set()
ORIGINALS = [ROOT / "README.md", ROOT / "tutorials/README.md"]
ORIGINALS += [p for p in sorted(DOCS.glob("*.md")) if ".zh" not in p.name]
SCRIPTS = sorted((ROOT / "tutorials").glob("[0-9]*.py"))
# The hash of each original when it was translated, and for which version.
KNOWN = DOCS / "site_chinese.json"

spec = importlib.util.spec_from_file_location(
    "as_notebook", ROOT / "tutorials" / "as_notebook.py"
)
as_notebook = importlib.util.module_from_spec(spec)
spec.loader.exec_module(as_notebook)


def name_of(path):
    return path.relative_to(ROOT).as_posix()


def chinese_of(path):
    return path.with_suffix(".zh.md")


TRANSLATED = [p for p in ORIGINALS if name_of(p) not in NOT_YET]


def digest(path):
    return hashlib.sha256(path.read_bytes()).hexdigest()[:16]


def fences(text):
    return re.findall(r"^```.*?^```", text, re.M | re.S)


def prose(text):
    return re.sub(r"^```.*?^```", "", text, flags=re.M | re.S)


def targets(text):
    return re.findall(r"\]\(([^)#\s]+)", prose(text))


def test_the_pages_that_are_missing_are_known():
    missing = {name_of(p) for p in ORIGINALS if not chinese_of(p).exists()}
    assert missing == NOT_YET
    known = {chinese_of(path) for path in ORIGINALS}
    assert set(DOCS.glob("*.zh.md")) <= known


@pytest.mark.parametrize("path", TRANSLATED, ids=name_of)
def test_a_page_has_the_code_formulas_and_links_of_its_original(path):
    english = path.read_text(encoding="utf-8")
    chinese = chinese_of(path).read_text(encoding="utf-8")

    assert fences(chinese) == fences(english)
    for kind in (r"^#+ ", r"\$\$", r"!\[", r"^\|"):
        count = len(re.findall(kind, prose(english), re.M))
        assert len(re.findall(kind, prose(chinese), re.M)) == count, kind
    there, here = (
        # To the other README, and to pages and plots in the same language.
        sorted(target.replace(".zh.", ".") for target in targets(text))
        for text in (english, chinese)
    )
    assert here == there


@pytest.mark.parametrize("path", TRANSLATED, ids=name_of)
def test_a_page_is_written_in_chinese(path):
    text = prose(chinese_of(path).read_text(encoding="utf-8"))
    for paragraph in re.split(r"\n\n", text):
        if paragraph.startswith("    "):
            continue  # Commands.
        words = re.sub(
            r"`[^`]*`|\$[^$]*\$|\(.*?\)|<.*?>|\{.*?\}", "", paragraph
        )
        latin = len(re.findall(r"\b[a-z]{3,}\b", words))
        assert latin < 12 or re.search(r"[\u4e00-\u9fff]", words), paragraph


# As the published notes of the course have it, and what they do not say.
TERMS = {
    "超参数": r"超参(?!数)|超级参数",
    "批归一化": "批(量)?标准化|批量归一化|批规范化",
    "由粗到精": "从粗到细|由粗到细|由粗糙到",
    "指数加权平均": "指数(移动|滑动)平均|指数加权移动平均",
    "偏差修正": "偏置(修正|校正)|偏差(校正|纠正)",
    "优化算法": "优化器",
    "标尺": "尺度",
    "周期": "轮次|时期",
    "随机失活": "丢弃法|暂退",
}


@pytest.mark.parametrize("term", TERMS)
def test_terms_are_those_of_the_published_notes(term):
    pages = [chinese_of(path) for path in TRANSLATED]
    pages += sorted((ROOT / "tutorials" / "zh").glob("*.*"))
    texts = [prose(path.read_text(encoding="utf-8")) for path in pages]

    assert any(term in text for text in texts)
    for path, text in zip(pages, texts, strict=True):
        found = re.search(TERMS[term], text)
        assert not found, f"{name_of(path)}: {found[0]} is {term} elsewhere"


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: path.stem)
def test_a_tutorial_has_a_text_for_each_cell(path):
    there = ROOT / "tutorials" / "zh" / f"{path.stem}.md"
    chinese = there.read_text(encoding="utf-8").split("\n<!-- code -->\n")
    english = [t for kind, t in as_notebook.cells(path) if kind == "markdown"]

    assert len(chinese) == len(english)
    for ours, theirs in zip(chinese, english, strict=True):
        assert ours.count("$$") == theirs.count("$$"), ours
        headings = [len(re.findall(r"^#+ ", t, re.M)) for t in (ours, theirs)]
        assert headings[0] == headings[1], ours
        assert re.search(r"[\u4e00-\u9fff]|^## ", ours), ours


@pytest.fixture
def site_hooks():
    pytest.importorskip("latex2mathml")
    sys.path.insert(0, str(DOCS))
    try:
        return importlib.import_module("site_hooks")
    finally:
        sys.path.remove(str(DOCS))


@pytest.mark.parametrize(
    "url, links",
    [
        ("./", 'href="./" href="./zh/"'),
        ("zh/", 'href="../" href="../zh/"'),
        ("zh/tuning/", 'href="/" href="/zh/"'),
    ],
)
def test_the_home_pages_link_to_each_other_in_any_folder(
    site_hooks, url, links
):
    page = types.SimpleNamespace(url=url)
    made = site_hooks.on_post_page('href="/" href="/zh/"', page)
    assert made == links


def test_the_site_has_no_blanks_where_lines_of_chinese_are_broken(site_hooks):
    page = (
        "<li>超参\n  数，\n  <code>alpha</code> 和\n  <em>beta</em></li>"
        "<pre>一\n二</pre><p>a.\nb</p>"
    )
    assert site_hooks.on_page_content(page) == (
        "<li>超参数，<code>alpha</code> 和\n  <em>beta</em></li>"
        "<pre>一\n二</pre><p>a.\nb</p>"
    )


def test_no_page_is_older_than_its_original_by_a_release():
    known = json.loads(KNOWN.read_text(encoding="utf-8"))
    assert set(known) == {name_of(path) for path in [*TRANSLATED, *SCRIPTS]}
    for name, (seen, version) in known.items():
        old = seen != digest(ROOT / name)
        assert not old or version == tfcourse.__version__, (
            f"{name} has changed since {version}: bring its Chinese page up to "
            "date, then run `python docs/site_chinese.py`."
        )
