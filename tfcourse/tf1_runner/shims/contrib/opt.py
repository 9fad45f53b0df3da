"""`tf.contrib.opt`: SciPy's optimizers, on a graph."""

import numpy as np
import tensorflow as tf

from tfcourse.tf1_runner.imports.symbol_names import names_from

__getattr__ = names_from(
    "tf.contrib.opt", "tfcourse.tf1_runner.shims.optimizers"
)


class ScipyOptimizerInterface:
    """Minimizes a loss with `scipy.optimize.minimize`.

    Args:
        loss: A scalar tensor.
        var_list: The variables. By default all that can be trained.
        equalities: Scalar or vector tensors that are to become 0.
        inequalities: Scalar or vector tensors that may not become negative.
        var_to_bounds: Variable -> its least and greatest value.
        **optimizer_kwargs: For SciPy: `method`, `options`, `tol`. The method
            is L-BFGS-B by default, SLSQP with constraints.
    """

    def __init__(
        self,
        loss,
        var_list=None,
        equalities=None,
        inequalities=None,
        var_to_bounds=None,
        **optimizer_kwargs,
    ):
        self._loss = loss
        self._vars = list(var_list or tf.trainable_variables())
        self._bounds = var_to_bounds or {}
        self._constraints = [
            *(("eq", tensor) for tensor in equalities or []),
            *(("ineq", tensor) for tensor in inequalities or []),
        ]
        method = "SLSQP" if self._constraints else "L-BFGS-B"
        self._settings = {"method": method} | optimizer_kwargs
        self._gradient = self._flat(tf.gradients(loss, self._vars))
        self._jacobians = [
            tf.stack(
                [
                    self._flat(tf.gradients(part, self._vars))
                    for part in tf.unstack(tf.reshape(tensor, [-1]))
                ]
            )
            for _, tensor in self._constraints
        ]
        self._new = [tf.placeholder(v.dtype.base_dtype) for v in self._vars]
        self._assign = tf.group(
            *(
                tf.assign(variable, tf.reshape(new, variable.shape))
                for variable, new in zip(self._vars, self._new, strict=True)
            )
        )

    def minimize(
        self,
        session=None,
        feed_dict=None,
        fetches=None,
        step_callback=None,
        loss_callback=None,
        **run_kwargs,
    ):
        """Leaves in the variables what minimizes the loss.

        Args:
            session: By default the current one.
            feed_dict: Of the loss.
            fetches: Tensors to give to `loss_callback`.
            step_callback: Called with the variables as one vector, each step.
            loss_callback: Called with `fetches` at each evaluation.
            **run_kwargs: For `session.run`.
        """
        from scipy.optimize import minimize

        session = session or tf.get_default_session()
        sizes = [int(np.prod(v.shape.as_list())) for v in self._vars]
        ends = np.cumsum(sizes)[:-1]

        def run(tensors, vector):
            values = zip(self._new, np.split(vector, ends), strict=True)
            session.run(self._assign, dict(values))
            return session.run(tensors, feed_dict, **run_kwargs)

        def loss_and_gradient(vector):
            wanted = [self._loss, self._gradient, fetches or []]
            loss, gradient, fetched = run(wanted, vector)
            if loss_callback is not None:
                loss_callback(*fetched)
            return loss.astype("float64"), gradient.astype("float64")

        pairs = zip(self._constraints, self._jacobians, strict=True)
        constraints = [_constraint(run, *pair, jac) for pair, jac in pairs]
        result = minimize(
            loss_and_gradient,
            np.concatenate(
                [np.ravel(v).astype("float64") for v in session.run(self._vars)]
            ),
            jac=True,
            callback=step_callback,
            bounds=self._scipy_bounds() if self._bounds else None,
            **({"constraints": constraints} if constraints else {}),
            **self._settings,
        )
        run([], result.x)
        return result

    def _flat(self, gradients):
        return tf.concat(
            [
                tf.reshape(tf.zeros_like(v) if g is None else g, [-1])
                for v, g in zip(self._vars, gradients, strict=True)
            ],
            0,
        )

    def _scipy_bounds(self):
        bounds = []
        for variable in self._vars:
            low, high = self._bounds.get(variable, (-np.inf, np.inf))
            ones = np.ones(variable.shape.as_list())
            bounds += zip(
                np.ravel(low * ones), np.ravel(high * ones), strict=True
            )
        return bounds


def _constraint(run, kind, tensor, jacobian):
    """Returns a constraint as SciPy takes it."""
    flat = tf.reshape(tensor, [-1])
    return {
        "type": kind,
        "fun": lambda vector: run(flat, vector).astype("float64"),
        "jac": lambda vector: run(jacobian, vector).astype("float64"),
    }
