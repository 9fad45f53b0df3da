"""What a machine has of what tfcourse needs."""

import dataclasses
import importlib.metadata
import importlib.util
import os
import pathlib
import platform
import sys

# Import name -> (name to install, what it is for).
_NEEDED = {
    "tensorflow": ("tensorflow", "training and SavedModels"),
    "keras": ("keras", "models"),
    "keras_tuner": ("keras-tuner", "search"),
    "tensorboard": ("tensorboard", "every trial of keras-tuner"),
    "sklearn": ("scikit-learn", "the bundled data sets"),
    "scipy": ("scipy", "averages of series"),
    "pandas": ("pandas", "tables"),
    "pyarrow": ("pyarrow", "Parquet files"),
    "plotly": ("plotly", "reports"),
    "filelock": ("filelock", "one process a run"),
}
_LEAST_MEMORY = 2.0  # GiB
# What decides on the numbers of a run.
_RECORDED = (
    "tfcourse",
    "tensorflow",
    "keras",
    "keras-tuner",
    "numpy",
    "scikit-learn",
)


@dataclasses.dataclass(frozen=True)
class EnvironmentCheck:
    """One thing that was looked at.

    Attributes:
        what: Its name.
        found: What is there.
        fine: Whether tfcourse works with it.
        advice: What to do, or what would be better; may be empty.
    """

    what: str
    found: str
    fine: bool = True
    advice: str = ""


def check_environment() -> list[EnvironmentCheck]:
    """Returns the checks of software, backend, processors and memory."""
    return [
        _python(),
        *(_package(name, *row) for name, row in _NEEDED.items()),
        *_backend(),
        _cores(),
        _memory(),
    ]


def package_versions() -> dict[str, str]:
    """Returns the versions that a run keeps: Python's and those of packages."""
    return {
        "python": platform.python_version(),
        **{name: importlib.metadata.version(name) for name in _RECORDED},
    }


def _python():
    version = platform.python_version()
    fine = (3, 11) <= sys.version_info[:2] <= (3, 13)
    advice = "" if fine else "Use Python 3.11, 3.12 or 3.13."
    return EnvironmentCheck("Python", version, fine, advice)


def _package(module, name, use):
    if not importlib.util.find_spec(module):
        advice = f"Install it: pip install '{name}'"
        return EnvironmentCheck(
            name, f"not installed, for {use}", False, advice
        )
    try:
        version = importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        # Such as tensorflow-cpu, which brings the module under another name.
        version = "installed"
    return EnvironmentCheck(name, version)


def _backend():
    try:
        import keras

        gpus = keras.distribution.list_devices("gpu")
    # Whatever goes wrong while a backend loads is what to report.
    except Exception as error:
        return [
            EnvironmentCheck(
                "Keras backend",
                f"fails to load: {type(error).__name__}: {error}",
                False,
                "Reinstall it: pip install --force-reinstall tensorflow keras",
            )
        ]
    advice = "" if gpus else _gpu_advice()
    return [
        EnvironmentCheck("Keras backend", keras.config.backend()),
        EnvironmentCheck("GPUs", ", ".join(gpus) or "none seen", True, advice),
    ]


def _gpu_advice():
    if sys.platform != "linux":
        return "TensorFlow uses NVIDIA GPUs on Linux (on Windows in WSL2) only."
    if os.environ.get("CUDA_VISIBLE_DEVICES") in ("", "-1"):
        return "CUDA_VISIBLE_DEVICES hides them; unset it to use one."
    if not pathlib.Path("/proc/driver/nvidia/version").exists():
        return (
            "No NVIDIA driver. Everything works on the CPU; for a GPU "
            "install its driver, then: pip install 'tfcourse[gpu]'"
        )
    return "There is a driver: install CUDA with pip install 'tfcourse[gpu]'"


def _cores():
    if hasattr(os, "sched_getaffinity"):
        cores = len(os.sched_getaffinity(0))
    else:
        cores = os.cpu_count()
    return EnvironmentCheck("CPU cores", str(cores))


def _memory():
    try:
        pages = os.sysconf("SC_PHYS_PAGES"), os.sysconf("SC_AVPHYS_PAGES")
    except (AttributeError, ValueError, OSError):
        return EnvironmentCheck("Memory", "unknown on this system")
    page = os.sysconf("SC_PAGE_SIZE") / 2**30
    total, free = (count * page for count in pages)
    fine = total >= _LEAST_MEMORY
    advice = "" if fine else f"Training needs about {_LEAST_MEMORY:.0f} GiB."
    return EnvironmentCheck(
        "Memory", f"{total:.1f} GiB, {free:.1f} GiB free", fine, advice
    )
