"""What `watch.py` measures of one version of tfcourse; it starts this file.

The process imports Keras and tfcourse once. For each line that it reads,
`CASE CLOCK SECONDS`, it forks, so that every run begins alike: nothing is
traced or compiled yet. The copy measures itself and answers with a line of
JSON, `{"seconds": ...}` or `{"error": ...}`; it ends if it takes more than
`SECONDS`.
"""

import contextlib
import json
import os
import pathlib
import resource
import signal
import subprocess
import sys
import time

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

CLOCKS = {"cpu": time.process_time, "wall": time.perf_counter}
# What a search needs once Keras is there.
IMPORT = """
import sys, time
import keras
clock = getattr(time, sys.argv[1])
start = clock()
from tfcourse.tuning import Caviar
print(clock() - start)
"""


@contextlib.contextmanager
def timed(clock, seconds):
    start = clock()
    yield
    seconds.append(clock() - start)


def steps_of_adam(clock):
    """Returns the seconds of 200 steps on 64 small tensors."""
    import keras
    import numpy as np
    import tensorflow as tf

    from tfcourse.optimizers import Adam

    # Threads that wait for small operations would be most of it.
    tf.config.threading.set_intra_op_parallelism_threads(1)
    tf.config.threading.set_inter_op_parallelism_threads(1)
    rng = np.random.default_rng(0)
    some = [rng.normal(size=(32, 32)).astype("float32") for _ in range(64)]
    variables = [keras.Variable(value) for value in some]
    gradients = [tf.constant(value) for value in some]
    adam, seconds = Adam(0.001), []
    adam.build(variables)
    step = tf.function(lambda: adam.apply(gradients, variables))
    step()
    for _ in range(10):
        with timed(clock, seconds):
            for _ in range(20):
                step()
            # What is read last has waited for all.
            variables[-1].numpy()
    # What else the machine does only adds to it.
    return 10 * min(seconds)


def epochs(clock):
    """Returns the seconds of 10 more epochs of 16 networks."""
    import keras
    import spaces

    from tfcourse.tuning import Population

    def model(seed):
        keras.utils.set_random_seed(seed)
        return spaces.SPACES["mlp"](spaces.keras_tuner.HyperParameters())

    train, dev = spaces.digits()
    models, seconds = [model(seed) for seed in range(16)], []
    # Compiled in the first epochs, whatever is expected to pay.
    population = Population(models, jit_compile=True)
    settings = {"validation_data": dev, "batch_size": spaces.BATCH}
    population.fit(*train, epochs=2, **settings)
    with timed(clock, seconds):
        population.fit(*train, epochs=12, initial_epoch=2, **settings)
    return seconds[0]


def search(name, trials):
    """Returns a case: all of a search of two epochs."""

    def case(clock):
        import spaces

        from tfcourse.tuning import Caviar

        data, seconds = spaces.digits(), []
        with timed(clock, seconds):
            spaces.by_tuner(Caviar, name, trials, 0, data, 2)
        return seconds[0]

    return case


def importing(clock):
    """Returns the seconds of importing the tuner when Keras is imported."""
    command = [sys.executable, "-c", IMPORT, clock.__name__]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return float(done.stdout)


CASES = {
    "adam": steps_of_adam,
    "cnn": search("cnn", 8),
    "mlp": search("mlp", 8),
    "epochs": epochs,
    "mlp-64": search("mlp", 64),
    "gru": search("gru", 8),
    "course": search("course", 16),
    "import": importing,
}
QUICKEST = ("adam", "cnn", "mlp")


def answer(request, out):
    """Writes what a case takes; it is called in a process of its own."""
    name, clock, limit = request.split()
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    signal.alarm(int(limit))
    try:
        said = {"seconds": CASES[name](CLOCKS[clock])}
    except Exception as error:
        said = {"error": f"{type(error).__name__}: {str(error)[:300]}"}
    out.write(json.dumps(said) + "\n")
    out.flush()


def serve(requests, out):
    for request in requests:
        child = os.fork()
        if not child:
            answer(request, out)
            os._exit(0)
        _, status = os.waitpid(child, 0)
        if status:
            why = signal.Signals(status & 127).name
            if why == "SIGALRM":
                why = "it took too long"
            out.write(json.dumps({"error": f"its process ended: {why}"}) + "\n")
            out.flush()


def main():
    # What the searches print is not for whoever reads the answers.
    out = os.fdopen(os.dup(1), "w")
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    os.dup2(nowhere, 2)
    import spaces  # noqa: F401

    import tfcourse
    from tfcourse.tuning import Caviar, Population  # noqa: F401

    folder = pathlib.Path(tfcourse.__file__).resolve().parents[1]
    cpu = resource.getrusage(resource.RUSAGE_SELF).ru_utime
    out.write(json.dumps({"folder": str(folder), "seconds": cpu}) + "\n")
    out.flush()
    serve(sys.stdin, out)


if __name__ == "__main__":
    main()
