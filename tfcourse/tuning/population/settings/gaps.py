"""Layers of noise that some members have in a chain, and others do not.

A layer that is missing is one of no noise. Between two other layers of a
`keras.Sequential`, in a gap, members may so have different ones: the template
has all of them.
"""

import dataclasses
from typing import Any

from tfcourse.tuning.population.settings.places import NOISE, places
from tfcourse.tuning.population.settings.setting import Setting
from tfcourse.tuning.population.structure import StructureReader
from tfcourse.tuning.population.structure.reader import Structure


@dataclasses.dataclass
class OptionalNoise:
    """A layer of noise in a gap.

    Attributes:
        setting: How strong it is; its owner is the layer.
        structure: All else that the layer is.
    """

    setting: Setting
    structure: Structure


# Those in a gap, in their order, for each gap of a chain.
Gaps = list[list[OptionalNoise]]


def split_at_noise(
    chain: list[Any], shared: frozenset[int] = frozenset()
) -> tuple[list[Any], Gaps]:
    """Returns the layers of a chain but those of noise, and the gaps.

    Args:
        chain: The layers.
        shared: The ids of layers that others may have, too.
    """
    kept: list[Any] = []
    gaps: Gaps = [[]]
    for layer in chain:
        noise = None if id(layer) in shared else optional_noise(layer)
        if noise is None:
            kept.append(layer)
            gaps.append([])
        else:
            gaps[-1].append(noise)
    return kept, gaps


def merged(members: list[Gaps]) -> Gaps:
    """Returns gaps with as many layers as are needed to have any member's."""
    united: Gaps = [[] for _ in members[0]]
    for gaps in members:
        for all_of_gap, own in zip(united, gaps, strict=True):
            place = 0
            for noise in own:
                found = _find(noise, all_of_gap, place)
                if found is None:
                    all_of_gap.insert(place, noise)
                    found = place
                place = found + 1
    return united


def aligned(own: Gaps, united: Gaps) -> list[OptionalNoise | None] | None:
    """Returns for each layer of the united gaps the one that a member has.

    Returns:
        A list with None where it has none; None if it has more than they.
    """
    found: list[OptionalNoise | None] = []
    for all_of_gap, some in zip(united, own, strict=True):
        rest = list(some)
        for noise in all_of_gap:
            has = rest and rest[0].structure == noise.structure
            found.append(rest.pop(0) if has else None)
        if rest:
            return None
    return found


def filled(chain: list[Any], united: Gaps, name: str) -> list[Any]:
    """Returns a chain with the layers of noise that were missing from it.

    Args:
        chain: The layers.
        united: The gaps that the chain is to have.
        name: What the names of further layers begin with.
    """
    kept, own = split_at_noise(chain)
    there = iter(aligned(own, united) or [])
    all_layers = []
    for i, gap in enumerate(united):
        for j, noise in enumerate(gap):
            present = next(there)
            all_layers.append(
                present.setting.owner
                if present
                else copy_of_noise(noise.setting.owner, f"{name}_{i}_{j}")
            )
        all_layers += kept[i : i + 1]
    return all_layers


def _find(
    noise: OptionalNoise, among: list[OptionalNoise], first: int
) -> int | None:
    for i in range(first, len(among)):
        if among[i].structure == noise.structure:
            return i
    return None


def optional_noise(layer: Any) -> OptionalNoise | None:
    """Returns a layer of noise that may be missing elsewhere, or None."""
    if type(layer) not in NOISE or layer.activity_regularizer is not None:
        return None
    name, form = next(places(layer, is_output=False), ("", None))
    value = form and form.read(layer, name)
    if form is None or value is None:
        return None
    setting = Setting(layer, name, form, value)
    own = {id(variable) for variable in layer.variables}
    described = StructureReader(own).read(layer)
    left_out = {*form.attributes}
    return OptionalNoise(
        setting, tuple(part for part in described if part[0] not in left_out)
    )


def copy_of_noise(layer: Any, name: str) -> Any:
    """Returns another layer of noise like one, of a name of its own."""
    return type(layer).from_config(layer.get_config() | {"name": name})
