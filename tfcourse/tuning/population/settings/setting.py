"""A setting of one model, and how members compute with their own."""

import dataclasses
from collections.abc import Callable, Hashable
from typing import Any

from tfcourse.tuning.population.settings.member_number import (
    MemberChoice,
    MemberNumber,
)


@dataclasses.dataclass(frozen=True)
class Value:
    """What a setting is in one model.

    Attributes:
        numbers: What members of one kind may differ in.
        kind: What is computed with them; members may be of several kinds.
        source: An object that computes it, if its kind does not tell.
    """

    numbers: tuple[float, ...] = ()
    kind: Hashable = None
    source: Any = dataclasses.field(default=None, compare=False)


@dataclasses.dataclass
class Kind:
    """A kind of value that some members have.

    Attributes:
        name: What the `kind` of their values is.
        numbers: Its numbers: a float where it is the same for all of them.
        source: As that of a `Value`.
    """

    name: Hashable
    numbers: list[float | MemberNumber]
    source: Any


class Form:
    """How settings are read off models, and put into the one that is built.

    Args:
        attributes: What of its owner's attributes the setting replaces.
    """

    def __init__(self, *attributes: str) -> None:
        self.attributes = attributes

    def read(self, owner: Any, name: str) -> Value | None:
        """Returns the value that an owner has, or None if it is no setting."""
        raise NotImplementedError

    def widen(self, owner: Any, name: str, values: list[Value]) -> None:
        """Changes an owner, which is not built yet, so as to serve all."""

    def install(
        self,
        owner: Any,
        name: str,
        kinds: list[Kind],
        choice: MemberChoice | None,
    ) -> None:
        """Lets an owner, which is built, compute with the member's own value.

        Args:
            owner: The owner.
            name: The attribute that the setting is named after.
            kinds: All kinds that members have.
            choice: Which of them the member has, or None if there is one.
        """
        raise NotImplementedError


class Number(Form):
    """A number that is read at each step."""

    def __init__(self, name: str) -> None:
        super().__init__(name)

    def read(self, owner: Any, name: str) -> Value | None:
        value = getattr(owner, name)
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            return None
        return Value((float(value),))

    def install(
        self,
        owner: Any,
        name: str,
        kinds: list[Kind],
        choice: MemberChoice | None,
    ) -> None:
        # Not by `setattr`, by which Keras tracks what is set.
        vars(owner)[name] = kinds[0].numbers[0]


class MemberCall:
    """Takes the place of a layer's `call`; examples stay independent."""

    def __init__(self, function: Callable[..., Any]) -> None:
        self._function = function

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self._function(*args, **kwargs)


@dataclasses.dataclass
class Setting:
    """A setting of a model.

    Attributes:
        owner: What has it: a layer, an optimizer, a loss.
        name: The attribute that it is named after.
        form: How it is read, and put in place.
        value: What it is.
    """

    owner: Any
    name: str
    form: Form
    value: Value
