"""`tf.contrib.opt`: Adam's relatives, which `tf.train` never had."""

import tensorflow as tf
from tensorflow.python.ops import gen_training_ops


class _Adam(tf.train.AdamOptimizer):
    """Adam, whose step on one variable is another's."""

    def _rates(self, var):
        """Returns what the kernels take before the gradient."""
        powers = self._get_beta_accumulators()
        tensors = (
            *powers,
            self._lr_t,
            self._beta1_t,
            self._beta2_t,
            self._epsilon_t,
        )
        return [tf.cast(tensor, var.dtype.base_dtype) for tensor in tensors]

    def _moments(self, var):
        return self.get_slot(var, "m"), self.get_slot(var, "v")


class NadamOptimizer(_Adam):
    """Adam with the gradient once more in the momentum (Dozat, 2016)."""

    def _apply_dense(self, grad, var):
        rates = self._rates(var)
        return gen_training_ops.apply_adam(
            var, *self._moments(var), *rates, grad, use_nesterov=True
        )

    def _resource_apply_dense(self, grad, var):
        slots = [slot.handle for slot in self._moments(var)]
        return gen_training_ops.resource_apply_adam(
            var.handle, *slots, *self._rates(var), grad, use_nesterov=True
        )


class AdaMaxOptimizer(_Adam):
    """Adam by the greatest gradient in the place of the mean square."""

    def __init__(
        self,
        learning_rate=0.001,
        beta1=0.9,
        beta2=0.999,
        epsilon=1e-8,
        use_locking=False,
        name="AdaMax",
    ):
        super().__init__(
            learning_rate, beta1, beta2, epsilon, use_locking, name
        )

    def _apply_dense(self, grad, var):
        beta_1_power, _, *rates = self._rates(var)
        return tf.raw_ops.ApplyAdaMax(
            **_ada_max(var, *self._moments(var), beta_1_power, *rates, grad)
        )

    def _resource_apply_dense(self, grad, var):
        beta_1_power, _, *rates = self._rates(var)
        m, v = (slot.handle for slot in self._moments(var))
        return tf.raw_ops.ResourceApplyAdaMax(
            **_ada_max(var.handle, m, v, beta_1_power, *rates, grad)
        )


def _ada_max(var, m, v, beta1_power, lr, beta1, beta2, epsilon, grad):
    return {
        "var": var,
        "m": m,
        "v": v,
        "beta1_power": beta1_power,
        "lr": lr,
        "beta1": beta1,
        "beta2": beta2,
        "epsilon": epsilon,
        "grad": grad,
    }


class LazyAdamOptimizer(_Adam):
    """Adam that leaves the moments of rows without a gradient alone."""

    def _apply_sparse(self, grad, var):
        return self._step_of_rows(grad.values, var, grad.indices)

    def _resource_apply_sparse(self, grad, var, indices):
        return self._step_of_rows(grad, var, indices)

    def _step_of_rows(self, g, var, rows):
        power_1, power_2, lr, beta_1, beta_2, epsilon = self._rates(var)
        slot_m, slot_v = self._moments(var)
        m = beta_1 * tf.gather(slot_m, rows) + (1 - beta_1) * g
        v = beta_2 * tf.gather(slot_v, rows) + (1 - beta_2) * g * g
        rate = lr * tf.sqrt(1 - power_2) / (1 - power_1)
        step = rate * m / (tf.sqrt(v) + epsilon)
        return tf.group(
            tf.scatter_update(slot_m, rows, m),
            tf.scatter_update(slot_v, rows, v),
            tf.scatter_sub(var, rows, step),
        )


class DecoupledWeightDecayExtension:
    r"""Takes $\lambda w$ from each variable before the step.

    Args:
        weight_decay: $\lambda$; it is not multiplied by the learning rate.
        **kwargs: Of the optimizer.
    """

    def __init__(self, weight_decay, *args, **kwargs):
        self._weight_decay = weight_decay
        self._decay_var_list = None
        super().__init__(*args, **kwargs)

    def minimize(self, loss, *args, decay_var_list=None, **kwargs):
        self._decay_var_list = decay_var_list
        return super().minimize(loss, *args, **kwargs)

    def apply_gradients(
        self, grads_and_vars, *args, decay_var_list=None, **kwargs
    ):
        wanted = decay_var_list or self._decay_var_list
        pairs = [(g, v) for g, v in grads_and_vars if g is not None]
        gradients = [g for g, _ in pairs]
        # After the gradients, which are those of the variables as they were.
        with tf.control_dependencies(gradients):
            decays = [
                tf.assign_sub(v, self._weight_decay * v)
                for _, v in pairs
                if not wanted or any(v is w for w in wanted)
            ]
        with tf.control_dependencies(decays):
            return super().apply_gradients(grads_and_vars, *args, **kwargs)


def extend_with_decoupled_weight_decay(base_optimizer):
    """Returns the class of an optimizer with weight decay as first argument."""
    name = f"{base_optimizer.__name__}WithDecoupledWeightDecay"
    return type(name, (DecoupledWeightDecayExtension, base_optimizer), {})


class AdamWOptimizer(DecoupledWeightDecayExtension, tf.train.AdamOptimizer):
    """Adam with decoupled weight decay (Loshchilov and Hutter, 2017)."""


class MomentumWOptimizer(
    DecoupledWeightDecayExtension, tf.train.MomentumOptimizer
):
    """Momentum with decoupled weight decay."""


class MovingAverageOptimizer(tf.train.Optimizer):
    """An optimizer that keeps moving averages of what it trains.

    Args:
        opt: Makes the steps.
        average_decay: Of the averages.
        num_updates: How many there were, by which a small count decays faster.
        sequential_update: Whether they follow the step; so it is always here.
    """

    def __init__(
        self,
        opt,
        average_decay=0.9999,
        num_updates=None,
        sequential_update=True,
    ):
        super().__init__(False, "MovingAverage")
        self._optimizer = opt
        self._ema = tf.train.ExponentialMovingAverage(
            average_decay, num_updates
        )
        self._averaged = []

    def compute_gradients(self, *args, **kwargs):
        return self._optimizer.compute_gradients(*args, **kwargs)

    def apply_gradients(self, grads_and_vars, global_step=None, name=None):
        pairs = list(grads_and_vars)
        step = self._optimizer.apply_gradients(pairs, global_step, name)
        self._averaged = [v for g, v in pairs if g is not None]
        with tf.control_dependencies([step]):
            return self._ema.apply(self._averaged)

    def swapping_saver(self, var_list=None, name="swapping_saver", **kwargs):
        """Returns a saver that writes the averages under variables' names."""
        averages = {v.op.name: self._ema.average(v) for v in self._averaged}
        variables = var_list or tf.global_variables()
        ours = {id(average) for average in averages.values()}
        saved = {
            v.op.name: averages.get(v.op.name, v)
            for v in variables
            if id(v) not in ours
        }
        return tf.train.Saver(saved, name=name, **kwargs)


def clip_gradients_by_global_norm(gradients_variables, clip_norm=20.0):
    gradients, variables = zip(*gradients_variables, strict=True)
    clipped, _ = tf.clip_by_global_norm(gradients, clip_norm)
    return list(zip(clipped, variables, strict=True))
