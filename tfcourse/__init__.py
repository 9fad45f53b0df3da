"""Andrew Ng's "Improving Deep Neural Networks", made real on Keras 3.

Subpackages load on first use, so that `import tfcourse` and the command line
answer at once: Keras and TensorFlow take seconds to import. The public names
stand in `__init__.pyi`, where editors read them, too.
"""

import lazy_loader

__version__ = "0.1.0"

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
