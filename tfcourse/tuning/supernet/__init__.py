r"""Networks of different sizes, trained as one program.

Trials that differ in how many units a layer has, or in how many layers, are
different graphs. A small network can be embedded in a large one, a supernet.

*Width.* Its weights are a slice of the supernet's, with zeros around. A unit
whose weights and bias are zero gives $f(0) = 0$ if its activation maps zero to
zero; what it feeds does not depend on it; so its gradient is zero, and the
gradient of the weights that leave it is, too. Elementwise optimizers, $L_1$,
$L_2$ and batch norm leave such zeros alone: they stay zero, exactly, and the
rest is trained as in the narrow network to rounding.

*Depth.* Where hidden layers repeat, the supernet has as many as the deepest
network; those that a member has not are optional blocks, which give it back
their inputs, and whose gradient is therefore zero. A block that no member of a
shard has is hardly computed.

*Optimizer.* Where there are two or three of them, each step is computed by all,
and a member takes that of its own.

So a search space needs nothing of its own: `keras.layers.Dense(hp.Int("units",
50, 100))` is enough. The small networks draw their initial weights by their own
fan-in, and what comes out is an ordinary, small Keras model. Dropout, that
inside recurrent layers included, draws as many numbers as the supernet has
features, and of these a network takes those that it would draw alone. What an
activation gives that is not zero at zero is masked.

*Recurrence.* The weights of the gates lie side by side, and a slice is one of
each. A unit without weights has a state that stays zero. Of a stack of such
layers the last gives no sequence, so that it is the first ones that some
members have not.

*Own sizes.* Where members come one at a time, none is filled up: the supernet
computes with weights of the size that a member has, and blocks that it has not
have one feature, and see a few examples.

This holds for `keras.Sequential`s and functional models of the layers,
activations and optimizers that `supported` knows. All else may stand where all
members are alike. What can be embedded in nothing has no `family`.
"""

from tfcourse.tuning.supernet.signature import (
    SMALL,
    are_in_prefix,
    family,
    is_small,
    parts_of,
)
from tfcourse.tuning.supernet.supernet import Supernet, can_merge
from tfcourse.tuning.supernet.work import Work, recurrent_steps

__all__ = [
    "SMALL",
    "Supernet",
    "Work",
    "are_in_prefix",
    "can_merge",
    "family",
    "is_small",
    "parts_of",
    "recurrent_steps",
]
