"""The course's TensorFlow 1, in its own graphs and processes.

No global switch is touched: in the process that imports this, TensorFlow 2 and
Keras work as before. TensorFlow loads with the first name that is used.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
