"""Notes that the Chinese pages are up to date with the English ones.

python docs/site_chinese.py
"""

import hashlib
import json
import re
from pathlib import Path

_ROOT = Path(__file__).parents[1]


def main():
    version = re.search(
        r'__version__ = "(.*)"',
        (_ROOT / "tfcourse" / "__init__.py").read_text(encoding="utf-8"),
    )[1]
    pages = [_ROOT / "README.md", _ROOT / "tutorials" / "README.md"]
    pages += sorted((_ROOT / "docs").glob("*.md"))
    found = [page for page in pages if page.with_suffix(".zh.md").exists()]
    found += sorted((_ROOT / "tutorials").glob("[0-9]*.py"))
    known = {
        path.relative_to(_ROOT).as_posix(): [
            hashlib.sha256(path.read_bytes()).hexdigest()[:16],
            version,
        ]
        for path in found
    }
    there = _ROOT / "docs" / "site_chinese.json"
    there.write_text(json.dumps(known, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
