"""Populations of one model and the initial values of many."""

from tfcourse.tuning.population.trainer import PopulationTrainer


def of_values(template, columns, slices=None, **settings):
    """Returns the `PopulationTrainer` of members with these initial values.

    Args:
        template: A compiled and built model.
        columns: The values of all variables, stacked over the members.
        slices: Which part of them each member has, or None.
        **settings: Passed to `PopulationTrainer`.
    """
    return PopulationTrainer(
        template, len(columns[0]), lambda: (columns, slices), **settings
    )
