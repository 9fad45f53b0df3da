"""How operations are mapped over members."""

from typing import Any

# Not TensorFlow's own classes, whose stubs know neither slices with `...` nor
# that the sizes of a shape are known.
Tensor = Any
Shape = Any
