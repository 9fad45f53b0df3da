"""Makes one module of names that now live in several."""

import importlib


def gather(prefix, *sources):
    """Returns a module's `__getattr__` that looks through other modules.

    Args:
        prefix: What the script calls the module, for the message.
        *sources: Names of modules, imported when first needed.
    """

    def find(name):
        if not name.startswith("_"):
            for source in sources:
                found = getattr(importlib.import_module(source), name, None)
                if found is not None:
                    return found
        raise AttributeError(
            f"module '{prefix.replace('tf', 'tensorflow', 1)}' has no "
            f"attribute '{name}'",
            name=f"{prefix}.{name}",
        )

    return find
