"""A search that is killed goes on as if nothing had been.

`benchmarks/kill.py` does the same at fifty moments.
"""

import pytest
from kills import SPACE, Killer, outcome

from tfcourse.runs.settings import Settings


@pytest.mark.slow
def test_search_killed_at_three_random_moments_ends_as_a_whole_one(tmp_path):
    killer = Killer(
        Settings(data="iris", space=SPACE, trials=4, epochs=1), seed=0
    )
    killer.whole(tmp_path / "whole")

    # It may end before a moment comes, so that another one is needed.
    for attempt in range(3):
        folder = tmp_path / f"broken-{attempt}"
        killer.broken(folder, kills=3 - killer.kills)
        assert outcome(folder) == outcome(tmp_path / "whole")
        if killer.kills == 3:
            break

    assert killer.kills > 0
