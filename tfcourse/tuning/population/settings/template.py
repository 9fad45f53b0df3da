"""The one model that is built for members of several settings."""

import weakref
from collections.abc import Callable, Collection, Hashable
from typing import Any

import keras
import numpy as np

from tfcourse.tuning.population.deferred import (
    all_variables,
    complete,
    initial_value,
)
from tfcourse.tuning.population.functional.drawing import nothing_drawn
from tfcourse.tuning.population.settings.changes import Changes
from tfcourse.tuning.population.settings.forms.noise import (
    NO_NOISE,
    Noise,
    seed_of,
)
from tfcourse.tuning.population.settings.gaps import (
    aligned,
    filled,
    merged,
)
from tfcourse.tuning.population.settings.of_optimizers import (
    MemberOptimizers,
    OptimizerSettings,
)
from tfcourse.tuning.population.settings.reading import (
    Settings,
    digest_and_settings,
)
from tfcourse.tuning.population.settings.setting import Setting, Value
from tfcourse.tuning.population.settings.varied import VariedSettings
from tfcourse.utils.keras_private import (
    deferred_initialization,
    rebuild,
    set_layers,
)

Row = list[np.ndarray]
Slice = tuple[int, None]


class MemberSettings:
    """What members of one structure differ in, and where a template has it.

    Args:
        members: The settings of each member.
        kinds: Of each member what its optimizer is, without settings.
        any_sizes: Whether members may have variables of other sizes than the
            template.

    Attributes:
        changes: What they have changed in the template.
    """

    def __init__(
        self,
        members: list[Settings],
        kinds: list[Hashable],
        any_sizes: bool = False,
    ) -> None:
        self._any_sizes = any_sizes
        self._shared = frozenset().union(*(m.shared for m in members))
        self._united = merged([m.gaps for m in members])
        self._of_model = VariedSettings([self._values(m) for m in members])
        self._optimizers = MemberOptimizers(
            kinds, [m.of_optimizer for m in members]
        )
        self.changes = Changes()
        self._settings = Settings()
        self._seeds: list[Any] = []
        # Of each model whose optimizer was built, the slots of it.
        self._slots = weakref.WeakKeyDictionary()

    def __bool__(self) -> bool:
        return bool(self._of_model or self._optimizers)

    @property
    def optimizer(self) -> OptimizerSettings:
        """Those of the optimizer, if there is one for all."""
        return self._optimizers.settings

    @property
    def model_variables(self) -> list[Any]:
        """Variables of a member beside those of the template's layers."""
        return [*self._of_model.variables, *self._seeds]

    def accepts(self, settings: Settings, kind: Hashable) -> bool:
        """Whether a further member of the structure fits in."""
        return (
            aligned(settings.gaps, self._united) is not None
            and self._of_model.accepts(self._values(settings))
            and self._optimizers.accepts(kind, settings.of_optimizer)
        )

    def build(self, makes: list[Callable[[], keras.Model]]) -> keras.Model:
        """Returns a built model that computes with the settings of members.

        Args:
            makes: For each kind of optimizer a function that makes a model. A
                `keras.Sequential` need not be built.
        """
        model = makes[0]()
        if any(self._united):
            chain: Any = model
            set_layers(chain, filled(chain.layers, self._united, "noise"))
        elif isinstance(model, keras.Sequential):
            rebuild(model)
        if self or self._any_sizes:
            self._install(model)
        self._optimizers.build(
            model, [lambda make=make: make().optimizer for make in makes]
        )
        return model

    def _install(self, model: keras.Model) -> None:
        _, self._settings = digest_and_settings(model, (), self._shared)
        known = {id(v) for v in model.variables}
        own = self._of_layers(self._settings)
        with self.changes.noted(s.owner for s in own if s):
            self._of_model.install(own)
        self._seeds = [
            seed
            for seed in self._seeds_of(self._settings)
            if seed is not None and id(seed) not in known
        ]

    def _of_layers(self, settings: Settings) -> list[Setting | None]:
        """Returns the settings of a model's layers, of noise at the end."""
        noise = aligned(settings.gaps, self._united) or []
        return [*settings.of_model, *(n and n.setting for n in noise)]

    def _values(self, settings: Settings) -> list[Value]:
        return [s.value if s else NO_NOISE for s in self._of_layers(settings)]

    def initial_values(
        self,
        template: keras.Model,
        models: list[keras.Model],
        settings: list[Settings],
        kinds: list[Hashable],
    ) -> tuple[list[np.ndarray], list[list[Slice]]]:
        """Returns the initial values of some deferred models.

        Returns:
            The columns and the slices, as `PopulationTrainer` draws them.
        """
        pairs = [
            self._row(template, model, own, kind)
            for model, own, kind in zip(models, settings, kinds, strict=True)
        ]
        columns = zip(*(row for row, _ in pairs), strict=True)
        return [np.stack(c) for c in columns], [s for _, s in pairs]

    def values_at(
        self,
        template: keras.Model,
        model: keras.Model,
        own: Settings,
        kind: Hashable,
        numbers: Collection[int],
    ) -> dict[int, np.ndarray]:
        """Returns what a deferred model begins with, of some variables only.

        Those are not to be weights, which may take long to draw.
        """
        variables = self._variables_of(template)
        wanted = {id(variables[i]): i for i in numbers}
        found: dict[int, np.ndarray] = {}
        for variable, value in self._optimizers.own_values(
            kind, own.of_optimizer
        ):
            if id(variable) in wanted:
                found[wanted[id(variable)]] = value
        homes = self._homes(template, model, own, kind)
        for variable, home in zip(all_variables(model), homes, strict=True):
            if id(home) in wanted:
                found[wanted[id(home)]] = initial_value(variable)
        for variable in self._of_model.variables:
            if id(variable) in wanted:
                row = self._of_model.row(self._values(own))
                found[wanted[id(variable)]] = row
        # What no member has of its own is as in the template.
        left = set(numbers) - set(found)
        return found | {i: np.asarray(variables[i]) for i in left}

    def _row(
        self,
        template: keras.Model,
        model: keras.Model,
        own: Settings,
        kind: Hashable,
    ) -> tuple[Row, list[Slice]]:
        """Returns a member's values, and which of them its variables have."""
        variables = self._variables_of(template)
        numbers = {id(v): i for i, v in enumerate(variables)}
        row = [np.asarray(v) for v in variables]
        slices: list[Slice] = []
        homes = self._homes(template, model, own, kind)
        for variable, value in self._optimizers.own_values(
            kind, own.of_optimizer
        ):
            row[numbers[id(variable)]] = value
        for variable, home in zip(all_variables(model), homes, strict=True):
            if not self._any_sizes and variable.shape != home.shape:
                raise ValueError(
                    "The deferred model is not of the template's structure: "
                    "its variables have other shapes."
                )
            number = numbers[id(home)]
            row[number] = initial_value(variable)
            slices.append((number, None))
        if self._any_sizes:
            shapes = self.shapes(template, model, own, kind)
            for number, shape in enumerate(shapes):
                if row[number].shape != shape:
                    # A slot that only others have, whose numbers are alike.
                    row[number] = np.full(shape, row[number].flat[0])
        for variable in self._of_model.variables:
            row[numbers[id(variable)]] = self._of_model.row(self._values(own))
        return row, slices

    def shapes(
        self,
        template: keras.Model,
        model: keras.Model,
        own: Settings,
        kind: Hashable,
    ) -> list[tuple[int, ...]]:
        """Returns the shapes of a member's values, as `initial_values` has."""
        homes = self._homes(template, model, own, kind)
        found = {
            id(home): tuple(variable.shape)
            for variable, home in zip(all_variables(model), homes, strict=True)
        }
        slots = self._optimizers.parameters_of_slots(template)
        for slot, parameter in slots.items():
            home = template.trainable_variables[parameter]
            found.setdefault(slot, found[id(home)])
        return [
            found.get(id(variable), tuple(variable.shape))
            for variable in self._variables_of(template)
        ]

    def _homes(
        self,
        template: keras.Model,
        model: keras.Model,
        own: Settings,
        kind: Hashable,
    ) -> list[Any]:
        """Returns in which of its variables each one of a model's is."""
        if model not in self._slots:
            with (
                nothing_drawn("the build of its layers"),
                deferred_initialization(),
            ):
                self._slots[model] = complete(model, template, self._any_sizes)
        return [
            *template.trainable_variables,
            *self._homes_of_others(template, model, own),
            *self._optimizers.homes(
                template,
                kind,
                len(model.optimizer.variables),
                self._slots[model],
            ),
        ]

    def _variables_of(self, template: keras.Model) -> list[Any]:
        """Returns all variables, in the order of a `Member`'s."""
        return [
            *template.trainable_variables,
            *template.non_trainable_variables,
            *self.model_variables,
            *template.optimizer.variables,
            *self.optimizer.variables,
        ]

    def _homes_of_others(
        self, template: keras.Model, model: keras.Model, own: Settings
    ) -> list[Any]:
        """Returns in which variable each of a model's untrained ones is."""
        there = self._seeds_of(self._settings)
        seeds = {
            id(seed): home
            for seed, home in zip(self._seeds_of(own), there, strict=True)
            if seed is not None
        }
        others = (
            variable
            for variable in template.non_trainable_variables
            if id(variable) not in set(map(id, there))
        )
        return [
            seeds[id(v)] if id(v) in seeds else next(others)
            for v in model.non_trainable_variables
        ]

    def _seeds_of(self, settings: Settings) -> list[Any]:
        """Returns what the numbers of each layer of noise are drawn from."""
        return [
            seed_of(setting.owner) if setting else None
            for setting in self._of_layers(settings)
            if setting is None or isinstance(setting.form, Noise)
        ]
