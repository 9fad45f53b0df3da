"""The family tree of a population, laid out so that no two lines cross."""

import dataclasses
import functools

from tfcourse.tuning.evolution.ancestry import Ancestry, Generation

# A place in a plot: epochs trained, and how far up.
Point = tuple[float, float]
Line = list[Point]


@dataclasses.dataclass(frozen=True)
class Family:
    """Each member of each generation at a place of its own.

    In each generation members stand one above the other, in the order in which
    those stand that they came of: copies of one are neighbours, and the lines
    from one generation to the next do not cross.

    Attributes:
        ancestry: Who came of whom.
        epochs: At how many epochs training ended.
    """

    ancestry: Ancestry
    epochs: int

    @property
    def generations(self) -> list[Generation]:
        """Those that were trained."""
        return self.ancestry.generations

    @functools.cached_property
    def places(self) -> list[list[int]]:
        """How far up each member of each generation stands."""
        size = len(self.ancestry.trials)
        found = [list(range(size))]
        for generation in self.generations[1:]:
            above, sources = found[-1], generation.sources
            order = sorted(
                range(size),
                # Who keeps its weights stands below its copies.
                key=lambda k: (above[sources[k]], sources[k] != k, k),
            )
            places = [0] * size
            for place, k in enumerate(order):
                places[k] = place
            found.append(places)
        return found

    @functools.cached_property
    def ancestors(self) -> list[set[int]]:
        """Of each generation the members of whom some came in the end."""
        found = [set(range(len(self.ancestry.trials)))]
        for generation in reversed(self.generations[1:]):
            found.insert(0, {generation.sources[k] for k in found[0]})
        return found

    def lines(self) -> tuple[list[Line], list[Line]]:
        """Returns the lines that reach the end, and those that do not."""
        places, ancestors = self.places, self.ancestors
        lasting: list[Line] = []
        ended: list[Line] = []
        for g, generation in enumerate(self.generations[1:], 1):
            begin = self.generations[g - 1].epoch
            for k, source in enumerate(generation.sources):
                line = [
                    (begin, places[g - 1][source]),
                    (generation.epoch, places[g][k]),
                ]
                (lasting if k in ancestors[g] else ended).append(line)
            middle = (begin + generation.epoch) / 2
            for k in set(range(len(places[0]))) - set(generation.sources):
                y = places[g - 1][k]
                ended.append([(begin, y), (middle, y)])
        last = self.generations[-1].epoch
        lasting += [[(last, y), (self.epochs, y)] for y in places[-1]]
        return lasting, ended

    def line_of(self, trial_id: str, epochs: int) -> Line:
        """Returns the line of a member, from the first generation on.

        Args:
            trial_id: The member's trial.
            epochs: How many epochs it had been trained.
        """
        member = self.ancestry.trials.index(trial_id)
        places = self.places
        line: Line = []
        for g in reversed(range(len(self.generations))):
            generation = self.generations[g]
            if generation.epoch >= epochs:
                continue
            line.insert(0, (generation.epoch, places[g][member]))
            if len(line) == 1:
                line.append(self._end(g, member, epochs))
            member = generation.sources[member]
        return line

    def _end(self, g: int, member: int, epochs: int) -> Point:
        """Returns where a member is after some epochs of a generation."""
        places = self.places
        begin, y = self.generations[g].epoch, places[g][member]
        if g + 1 == len(self.generations):
            return epochs, y
        following = self.generations[g + 1]
        children = [k for k, s in enumerate(following.sources) if s == member]
        if not children:
            return epochs, y
        share = (epochs - begin) / (following.epoch - begin)
        return epochs, y + share * (places[g + 1][children[0]] - y)
