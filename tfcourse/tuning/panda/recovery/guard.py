"""When has a run gone wrong?"""

import dataclasses

from tfcourse.utils.validation import check_number


@dataclasses.dataclass(frozen=True)
class Guard:
    r"""What counts as a run gone wrong, and what is done about it.

    With $\ell_t$ the loss of step $t$, $\hat v_t$ its exponentially weighted
    average and $\hat s_t$ that of $|\ell_t|$, step $t$ is a spike if

    $$\ell_t > \hat v_{t-1} + (\text{factor} - 1) \, \hat s_{t-1},$$

    which is $\text{factor} \cdot \hat v_{t-1}$ where losses are positive. A
    spike does not enter the averages. With $c_0 = 0$, a spike adds 1 to $c$,
    and any other step subtracts 1, but never below 0. The run has gone wrong at
    $c = \text{steps}$, so after that many spikes in a row at the earliest; and
    at once when a loss or a weight is not finite.

    `keras.callbacks.TerminateOnNaN` sees the last kind only, and ends the run.

    Args:
        factor: How many times its average a loss must be, in (1, inf).
        steps: How many more spikes than other steps, a whole number in
            [1, inf).
        beta: $\beta$, share of the averages kept at each step, in [0, 1).
        learning_rate_factor: What the learning rate is multiplied by after
            going back, in (0, 1].
        rollbacks: The number of rollbacks after which the run ends, in [0,
            inf).

    Raises:
        ValueError: If a setting lies outside its interval.
        TypeError: If one is not a number.
    """

    factor: float = 4.0
    steps: int = 20
    beta: float = 0.98
    learning_rate_factor: float = 0.5
    rollbacks: int = 5

    def __post_init__(self) -> None:
        for name, interval in [
            ("factor", "(1, inf)"),
            ("steps", "[1, inf)"),
            ("beta", "[0, 1)"),
            ("learning_rate_factor", "(0, 1]"),
            ("rollbacks", "[0, inf)"),
        ]:
            check_number(getattr(self, name), name, "Guard", interval)
