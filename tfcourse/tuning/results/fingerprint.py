"""What a search was begun with: it must not go on with anything else."""

from __future__ import annotations

import collections.abc
import dataclasses
import pathlib

from tfcourse.errors import InputError
from tfcourse.utils.atomic_files import read_json, write_json

_FILE = "fingerprint.json"
# Keys of a hyperparameter's config that say from where to where it goes.
_BOUNDS = "min_value", "max_value"


@dataclasses.dataclass(frozen=True)
class Fingerprint:
    """What the scores of a search depend on, told so that it can be compared.

    Attributes:
        objective: Name and direction of each objective, in words.
        space: The config of each hyperparameter that the first model has.
        code: A digest of each function and class that builds the models.
        model: A digest of the model at the space's default point.
        fit: What each argument of `fit` is, in words.
        data: For each array a description, and a digest of its values.
    """

    objective: str
    space: dict[str, dict]
    code: dict[str, str]
    model: str | None
    fit: dict[str, str]
    data: dict[str, list[str]]

    @classmethod
    def read(cls, project: str | pathlib.Path) -> Fingerprint | None:
        """Returns that of a project folder, or None if there is none."""
        try:
            return cls(**read_json(pathlib.Path(project, _FILE)))
        except (FileNotFoundError, NotADirectoryError):
            return None
        except (ValueError, TypeError) as error:
            raise InputError(
                f"{pathlib.Path(project, _FILE)} is damaged, so it is not "
                "known how the search was started. Restore it, or delete it "
                "to continue all the same."
            ) from error

    def write(self, project: str | pathlib.Path) -> None:
        """Writes it into a project folder."""
        write_json(pathlib.Path(project, _FILE), dataclasses.asdict(self))

    def has_grown_from(self, before: Fingerprint) -> bool:
        """Whether nothing but the space differs, and it has all that it had."""
        same = dataclasses.replace(
            self, space=before.space, code=before.code, model=before.model
        )
        return same == before and all(
            name in self.space and _covers(self.space[name], config)
            for name, config in before.space.items()
        )

    def differences(self, before: Fingerprint) -> collections.abc.Iterator[str]:
        """Yields what is not as it was, the plainest first."""
        if self.objective != before.objective:
            yield f"the objective {self.objective}, was {before.objective}"
        yield from _changes(
            {name: _range(config) for name, config in self.space.items()},
            {name: _range(config) for name, config in before.space.items()},
            "hyperparameter ",
        )
        yield from _changes_inside(self.space, before.space)
        yield from _changes(self.fit, before.fit, "")
        yield from self._differences_of_data(before)
        # What is built differs with the code, which tells more.
        changed = [n for n, d in self.code.items() if before.code.get(n) != d]
        if changed:
            yield f"the code of {changed[0]}"
        elif self.model != before.model:
            yield "the model that is built"

    def _differences_of_data(
        self, before: Fingerprint
    ) -> collections.abc.Iterator[str]:
        yield from _changes(
            {name: data[0] for name, data in self.data.items()},
            {name: data[0] for name, data in before.data.items()},
            "",
        )
        for name, (what, digest) in self.data.items():
            if name in before.data and before.data[name] == [what, digest]:
                continue
            if before.data.get(name, [None])[0] == what:
                yield f"the values of {name}"


def check_unchanged(
    project: str | pathlib.Path,
    now: Fingerprint,
    allow_changed_space: bool = False,
) -> None:
    """Refuses to go on with a search that was begun with something else.

    Args:
        project: The project folder.
        now: What the search would go on with.
        allow_changed_space: Whether the space may have grown.

    Raises:
        InputError: If it was; the sentence says what differs, how, and what
            to do.
    """
    before = Fingerprint.read(project)
    if before is None or before == now:
        return
    found = next(now.differences(before), None)
    if found is None:
        return
    grown = now.has_grown_from(before)
    if grown and allow_changed_space:
        return
    ways = [
        "Start anew with `overwrite=True`",
        "choose another `project_name`",
    ]
    if grown:
        ways.append(
            "continue in the larger space with `allow_changed_space=True`"
        )
    raise InputError(
        f"{project} has a search that was started differently: {found}. "
        f"{', '.join(ways[:-1])}, or {ways[-1]}."
    )


def _changes(
    now: dict, before: dict, kind: str
) -> collections.abc.Iterator[str]:
    for name, value in now.items():
        if name not in before:
            yield f"{kind}{name} is new ({value})"
        elif before[name] != value:
            yield f"{kind}{name} {value}, was {before[name]}"
    for name, value in before.items():
        if name not in now:
            yield f"{kind}{name} is gone (was {value})"


def _changes_inside(
    now: dict[str, dict], before: dict[str, dict]
) -> collections.abc.Iterator[str]:
    """Yields what differs in hyperparameters that have the same range."""
    for name in now.keys() & before.keys():
        for key, value in now[name].items():
            was = before[name].get(key)
            if value != was:
                yield f"{key} of hyperparameter {name} {value}, was {was}"


def _range(config: dict) -> str:
    """Returns a hyperparameter's values as a person writes them."""
    if "values" in config:
        return f"one of {', '.join(map(str, config['values']))}"
    if not all(key in config for key in _BOUNDS):
        return str(config.get("value", config.get("default")))
    low, high = (config[key] for key in _BOUNDS)
    scale = config.get("sampling") or "linear"
    step = config.get("step")
    more = "" if step is None or scale != "linear" else f" by {step}"
    if scale != "linear":
        more = f" ({scale})"
    return f"{low:g}..{high:g}{more}"


def _covers(now: dict, before: dict) -> bool:
    """Whether a hyperparameter can still take all values that it could."""
    if "values" in before:
        return set(before["values"]) <= set(now.get("values", ()))
    if not all(key in now and key in before for key in _BOUNDS):
        return now == before
    rest = {k: v for k, v in now.items() if k not in (*_BOUNDS, "default")}
    same = {k: v for k, v in before.items() if k not in (*_BOUNDS, "default")}
    return (
        rest == same
        and now["min_value"] <= before["min_value"]
        and now["max_value"] >= before["max_value"]
    )
