"""Hyperparameter search as the course teaches it, on keras-tuner.

Its parts load on first use: the command line reads what a search left without
Keras. The public names, and the module that has each, stand in `__init__.pyi`,
where editors read them, too.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
