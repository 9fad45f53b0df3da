r"""Networks of different sizes, trained as one program.

Trials that differ in how many units a layer has, or in how many layers, are
different graphs. A small network can be laid into a large one, though.

*Width.* Its weights go into a corner of the large one's, with zeros around. A
unit whose weights and bias are zero gives $f(0) = 0$ if its activation passes
through the origin; what it feeds does not depend on it; so its gradient is
zero, and the gradient of the weights that leave it is, too. Optimizers, $L_1$,
$L_2$ and batch norm leave such zeros alone: they stay zero, exactly, and the
rest is trained as in the narrow network to rounding.

*Depth.* Where hidden layers repeat, the large network has as many as the
deepest; a member passes its values by those that it has not, whose gradient is
therefore zero. What all members of a shard pass by is hardly computed.

*Optimizer.* Where there are two or three of them, each step is computed by all,
and a member takes that of its own.

So nothing is asked of a search space: `keras.layers.Dense(hp.Int("units", 50,
100))` is wide enough. The small networks draw their initial weights by their
own fan-in, and what comes out is an ordinary, small Keras model. Only masks of
dropout are others than when trained alone.

This holds for `keras.Sequential`s of the layers, activations and optimizers
listed in `rules`. Anything else is not laid into anything.
"""

from tfcourse.tuning.supernet.signature import family, is_small
from tfcourse.tuning.supernet.supernet import Supernet

__all__ = ["Supernet", "family", "is_small"]
