"""What a GPU gains: searches, members that fit, memory, convolutions.

For TensorFlow and for JAX, each in a process of its own:

- trials a second of whole searches by Caviar, of 64, 256 and 1,024 trials,
  dense and convolutional, as times those of keras-tuner's random search before
  and after them;
- how many members fit under `--memory-limit`, doubled until an epoch goes in
  pieces, and the most memory that was in use: above the limit is a failure;
- convolutions of a population, forward and backward, as one with groups, as the
  batched product that the TensorFlow engine uses, and as a loop, in turn.

    python benchmarks/device.py --device gpu              # ten minutes
    python benchmarks/device.py --device cpu --tiny       # whether it runs

What does not fit into `--minutes` is left out, and said to be.
"""

import argparse
import os
import pathlib
import statistics
import subprocess
import sys
import time

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

BACKENDS = ("tensorflow", "jax")
NETWORKS = {"mlp": "MLP 64-64 with batch norm", "cnn": "CNN 8-16"}
# Members, examples, sides of the image, channels of it and of the filters.
IMAGES = [(64, 64, 8, 1, 8), (64, 64, 6, 8, 16), (64, 64, 16, 16, 32)]
TINY_IMAGES = [(4, 8, 6, 2, 3)]


class TimeIsUp(Exception):  # noqa: N818, as it is no error
    """Raised where nothing more should begin."""


class Clock:
    """Says when no further part should begin.

    Args:
        seconds: How long all may take.
    """

    def __init__(self, seconds):
        self._end = time.monotonic() + seconds

    def check(self):
        if time.monotonic() > self._end:
            raise TimeIsUp


def prepare(options):
    """Chooses and limits the device, before anything is computed.

    The limit is TensorFlow's or JAX's own: what they may take for arrays. A
    GPU's driver takes some hundred MiB more for each process.
    """
    import keras

    if keras.config.backend() == "jax":
        import jax

        found = [d for d in jax.devices() if d.platform == options.device]
    else:
        import tensorflow as tf

        kind = options.device.upper()
        found = tf.config.list_physical_devices(kind)
        if found and options.device == "gpu":
            limit = tf.config.LogicalDeviceConfiguration(
                memory_limit=options.memory_limit
            )
            tf.config.set_logical_device_configuration(found[0], [limit])
    if not found:
        sys.exit(f"{keras.config.backend()} finds no {options.device} here.")
    print(f"\n{keras.config.backend()} on {found[0]}", flush=True)


def most_memory():
    """Returns the MiB that were in use at most; None where nobody counts."""
    import keras

    if keras.config.backend() == "jax":
        import jax

        counted = jax.devices()[0].memory_stats() or {}
        used = counted.get("peak_bytes_in_use")
    else:
        import tensorflow as tf

        if not tf.config.list_logical_devices("GPU"):
            return None
        used = tf.config.experimental.get_memory_info("GPU:0")["peak"]
    return used and used / 2**20


def searches(options, clock):
    """Prints trials a second of Caviar, and as times keras-tuner's."""
    import keras_tuner
    import spaces

    from tfcourse.tuning import Caviar

    data, epochs = spaces.digits(), 1 if options.tiny else 10

    def rate(tuner, name, trials, turn):
        seconds, _ = spaces.by_tuner(tuner, name, trials, turn, data, epochs)
        return 1 / seconds

    for name in NETWORKS:
        # What a process needs once belongs to neither.
        rate(keras_tuner.RandomSearch, name, 1, 0)
        before = rate(keras_tuner.RandomSearch, name, options.peer_trials, 1)
        for members in options.members:
            clock.check()
            ours = rate(Caviar, name, members, 2)
            after = rate(keras_tuner.RandomSearch, name, options.peer_trials, 3)
            theirs = statistics.mean((before, after))
            before = after
            print(
                f"{name}, {members} trials: {ours:.2f} a second, keras-tuner "
                f"{theirs:.2f}: {ours / theirs:.1f} times as fast",
                flush=True,
            )


def fitting(options, clock):
    """Prints how many members fit; returns whether the limit was kept."""
    import population
    import spaces

    data = spaces.digits()
    for name, network in NETWORKS.items():
        members, fit, why = min(options.members), 0, "more were not tried"
        while members <= options.most_members:
            clock.check()
            build = population.NETWORKS[network]
            try:
                _, _, report = population.as_population(
                    build, members, *data, 1
                )
            except Exception as error:
                why = f"{members} failed: {type(error).__name__}"
                break
            if report["pieces"] > 1:
                why = f"{members} went in {report['pieces']} pieces"
                break
            fit, members = members, 2 * members
        print(f"{name}: {fit} members fit; {why}", flush=True)
    used = most_memory()
    if used is None:
        print("memory: not counted on this device")
        return True
    kept = used <= options.memory_limit
    print(
        f"memory: {used:.0f} MiB at most, limit {options.memory_limit} MiB"
        f"{'' if kept else '  ABOVE'}",
        flush=True,
    )
    return kept


def convolutions(options, clock):
    """Prints the milliseconds of each way, of a gradient by both inputs."""
    import keras
    import numpy as np

    ways = _of_jax if keras.config.backend() == "jax" else _of_tensorflow
    for sizes in TINY_IMAGES if options.tiny else IMAGES:
        clock.check()
        timed = ways(*sizes)
        # Compiled in the first call. A GPU may round products to ten bits.
        first = [run() for run in timed.values()]
        np.testing.assert_allclose(first, first[:1] * 3, rtol=0.02)
        took = {way: [] for way in timed}
        for turn in range(2 if options.tiny else 7):
            order = list(timed)[turn % 3 :] + list(timed)[: turn % 3]
            for way in order:
                start = time.perf_counter()
                for _ in range(5):
                    timed[way]()
                took[way].append((time.perf_counter() - start) / 5)
        said = ", ".join(
            f"{way} {1e3 * statistics.median(some):.2f} ms"
            for way, some in took.items()
        )
        ratio = statistics.median(
            a / b for a, b in zip(took["loop"], took["groups"], strict=True)
        )
        print(
            f"convolution {sizes}: {said}; with groups {ratio:.2f} times as "
            "fast as the loop",
            flush=True,
        )


def _arrays(members, examples, side, channels, filters):
    import numpy as np

    rng = np.random.default_rng(0)
    x = rng.normal(size=(members, examples, side, side, channels))
    w = rng.normal(size=(members, 3, 3, channels, filters))
    return x.astype("float32"), w.astype("float32")


def _of_tensorflow(members, examples, side, channels, filters):
    import tensorflow as tf

    from tfcourse.tuning.population.vectorization import convolution

    x, w = map(tf.constant, _arrays(members, examples, side, channels, filters))

    def groups(x, w):
        x = tf.transpose(x, [1, 2, 3, 0, 4])
        x = tf.reshape(x, [examples, side, side, members * channels])
        w = tf.transpose(w, [1, 2, 3, 0, 4])
        w = tf.reshape(w, [3, 3, channels, members * filters])
        return tf.nn.conv2d(x, w, 1, "SAME")

    def product(x, w):
        return convolution.convolve(x, w, [1, 1], [1, 1], "SAME")

    def loop(x, w):
        each = zip(tf.unstack(x), tf.unstack(w), strict=True)
        return tf.stack([tf.nn.conv2d(a, b, 1, "SAME") for a, b in each])

    def timed(way):
        @tf.function(jit_compile=True)
        def gradients():
            with tf.GradientTape() as tape:
                tape.watch([x, w])
                total = tf.reduce_sum(way(x, w) ** 2)
            return tape.gradient(total, [x, w])

        return lambda: [float(g[0, 0, 0, 0, 0]) for g in gradients()]

    ways = {"groups": groups, "product": product, "loop": loop}
    return {name: timed(way) for name, way in ways.items()}


def _of_jax(members, examples, side, channels, filters):
    import jax
    import jax.numpy as jnp

    x, w = map(jnp.asarray, _arrays(members, examples, side, channels, filters))

    def one(x, w, groups=1):
        return jax.lax.conv_general_dilated(
            x,
            w,
            (1, 1),
            "SAME",
            dimension_numbers=("NHWC", "HWIO", "NHWC"),
            feature_group_count=groups,
        )

    def groups(x, w):
        x = jnp.moveaxis(x, 0, 3)
        x = x.reshape(examples, side, side, members * channels)
        w = jnp.moveaxis(w, 0, 3).reshape(3, 3, channels, members * filters)
        return one(x, w, members)

    def loop(x, w):
        return jnp.stack([one(a, b) for a, b in zip(x, w, strict=True)])

    def timed(way):
        loss = jax.jit(
            jax.grad(lambda x, w: (way(x, w) ** 2).sum(), argnums=(0, 1))
        )
        return lambda: [float(g[0, 0, 0, 0, 0]) for g in loss(x, w)]

    ways = {"groups": groups, "vmap": jax.vmap(one), "loop": loop}
    return {name: timed(way) for name, way in ways.items()}


def one_backend(options):
    """Measures all parts on the backend of this process."""
    prepare(options)
    clock, kept = Clock(60 * options.minutes), True
    parts = {
        "convolutions": convolutions,
        "searches": searches,
        "members that fit": fitting,
    }
    for what, part in parts.items():
        try:
            kept &= part(options, clock) is not False
        except TimeIsUp:
            print(f"{what}: the rest was left out, time is up", flush=True)
    sys.exit(not kept)


def environment(backend, options):
    """Returns the environment of a process on one backend and device."""
    own = {"KERAS_BACKEND": backend}
    if options.device == "cpu":
        own |= {"CUDA_VISIBLE_DEVICES": "-1", "JAX_PLATFORMS": "cpu"}
    elif backend == "jax":
        share = options.memory_limit / options.gpu_memory
        own["XLA_PYTHON_CLIENT_MEM_FRACTION"] = f"{share:.4f}"
    return os.environ | own


def memory_of_gpu():
    """Returns the MiB of the first GPU; exits with a sentence without one."""
    words = ["nvidia-smi", "--query-gpu=memory.total"]
    words += ["--format=csv,noheader,nounits"]
    try:
        done = subprocess.run(words, capture_output=True, text=True)
        return int(done.stdout.split()[0])
    except (OSError, ValueError, IndexError):
        print(
            "device.py: error: nvidia-smi finds no GPU here; --device cpu "
            "--tiny shows whether the script runs.",
            file=sys.stderr,
        )
        sys.exit(2)


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--device", choices=("cpu", "gpu"), default="gpu")
    parser.add_argument(
        "--backends", nargs="+", choices=BACKENDS, default=BACKENDS
    )
    parser.add_argument("--members", nargs="+", type=int)
    parser.add_argument("--most-members", type=int)
    parser.add_argument("--peer-trials", type=int)
    parser.add_argument("--memory-limit", type=int, default=8192, help="MiB")
    parser.add_argument("--minutes", type=float, default=9.5, help="of all")
    parser.add_argument("--tiny", action="store_true", help="whether it runs")
    parser.add_argument("--here", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    tiny = options.tiny
    if min(options.members or [1]) < 1:
        parser.error(f"--members must be positive. Received: {options.members}")
    options.members = options.members or ([4] if tiny else [64, 256, 1024])
    options.most_members = options.most_members or (8 if tiny else 16384)
    options.peer_trials = options.peer_trials or (1 if tiny else 2)
    if options.here:
        one_backend(options)
    if options.device == "gpu":
        options.gpu_memory = memory_of_gpu()
        if options.memory_limit >= options.gpu_memory:
            parser.error(
                f"--memory-limit must be below the GPU's {options.gpu_memory} "
                f"MiB. Received: {options.memory_limit}"
            )
    share = options.minutes / len(options.backends)
    words = [sys.executable, str(pathlib.Path(__file__).resolve())]
    words += sys.argv[1:]
    codes = [
        subprocess.run(
            [*words, "--here", "--minutes", str(share)],
            env=environment(backend, options),
            cwd=pathlib.Path(__file__).parent,
        ).returncode
        for backend in options.backends
    ]
    sys.exit(any(codes))


if __name__ == "__main__":
    main()
