"""One long run, watched, steered and brought back when it goes wrong.

Its parts load on first use: the command line reads and steers a run without
Keras.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
