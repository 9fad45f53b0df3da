"""The course's TensorFlow 1, in graphs and processes of its own.

Nothing global is switched: TensorFlow 2 and Keras go on as they were in the
process that imports this. TensorFlow loads with the first name that is used.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
