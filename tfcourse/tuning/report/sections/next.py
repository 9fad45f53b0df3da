"""What to do next, as HTML."""

import html
import re
from collections.abc import Sequence

from tfcourse.tuning.report.advice.advice import Advice


def next_steps(advice: Sequence[Advice]) -> str:
    """Returns the advice as a list, each with its command."""
    if not advice:
        return (
            '<p class="soft">Nothing stands out so far. There is more to say '
            "once a search is finished.</p>"
        )
    return f'<ol class="advice">{"".join(map(_item, advice))}</ol>'


def _item(one):
    command = ""
    if one.command:
        command = (
            f"<pre><code>{_command(one)}</code>"
            '<button type="button" class="copy">Copy</button></pre>'
        )
    return (
        f"<li><b>{html.escape(one.title)}</b><p>{html.escape(one.why)}</p>"
        f"{command}</li>"
    )


def _command(one):
    """Returns a command whose options no line parts."""
    text = html.escape(one.command_text)
    return re.sub(r"(?<=\s)(--[\w-]+)", r"<span>\1</span>", text)
