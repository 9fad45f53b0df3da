"""What lint finds, and the rule that asks for no graph of the model."""

import dataclasses
from collections.abc import Iterable, Iterator

import keras

from tfcourse.diagnostics.model_graph import is_batch_norm, unwrapped
from tfcourse.utils.notebook import Shown

# The variance of fewer is off by more than a third, as a rule.
_FEW = 16


@dataclasses.dataclass(frozen=True)
class Finding:
    """One mistake: in which layer, why it is one, and how to fix it."""

    layer: str
    rule: str
    reason: str
    mend: str

    def __str__(self):
        return f"{self.layer}: {self.rule}. {self.reason} {self.mend}"


@dataclasses.dataclass(frozen=True, repr=False)
class LintReport(Shown):
    """The findings of `lint`; false in a condition if there are none."""

    findings: tuple

    def __iter__(self) -> Iterator[Finding]:
        return iter(self.findings)

    def __len__(self):
        return len(self.findings)

    def __getitem__(self, index):
        return self.findings[index]

    def __str__(self):
        return "\n".join(map(str, self.findings)) or "Nothing found."

    def _as_table(self):
        if not self.findings:
            return None
        rows = [(f.layer, f.rule, f.reason, f.mend) for f in self.findings]
        return ("layer", "rule", "why", "what to do"), rows, ""


def small_last_batch(
    layers: Iterable[keras.layers.Layer],
    examples: int,
    batch_size: int | None,
) -> Iterator[Finding]:
    """Yields a finding for each batch norm that meets a small last batch.

    Args:
        layers: Those of a model.
        examples: How many there are for training.
        batch_size: Of the other batches, if known.
    """
    left = examples % batch_size if batch_size else 0
    if not 0 < left < min(_FEW, batch_size or 0) or examples < (
        batch_size or 0
    ):
        return
    for layer in layers:
        norm = unwrapped(layer)
        if is_batch_norm(norm) and norm.trainable:
            yield Finding(
                layer.name,
                "small last batch",
                f"The last batch of an epoch has {left} of {batch_size} "
                "examples, and their statistics move the averages as much as "
                "those of a full batch.",
                "Leave it out (`drop_remainder=True` of a dataset), or choose "
                f"another batch size for {examples:,} examples.",
            )
