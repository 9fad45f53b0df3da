"""The methods in plain NumPy, written from the docstrings' equations.

Float64 throughout, no state, nothing imported from `tfcourse`: slow and
obvious, so that a test can trust them.
"""

import math

import numpy as np


def exponentially_weighted_average(theta, beta, bias_correction):
    """Returns the averages after each entry of `theta`.

    Each is summed term by term from the weights, not by recursion.
    """
    theta = np.asarray(theta, "float64")
    averages = []
    for t in range(1, len(theta) + 1):
        weights = (1 - beta) * beta ** np.arange(t, dtype="float64")[::-1]
        v = np.tensordot(weights, theta[:t], axes=1)
        averages.append(v / weights.sum() if bias_correction else v)
    return np.stack(averages)


def effective_window(beta):
    """Returns the mean number of values that the weights (1 − β)βⁱ cover."""
    return 1 / (1 - beta)


def batch_norm(x, mean, variance, gamma, beta, epsilon):
    return gamma * (x - mean) / np.sqrt(variance + epsilon) + beta


def batch_statistics(x, mask=None):
    """Returns mean and variance of the last axis, of where `mask` is true."""
    rows = x[np.full(x.shape[:-1], True) if mask is None else mask]
    mean = rows.mean(axis=0)
    return mean, (rows**2).mean(axis=0) - mean**2


def corrected_average(values, rho):
    """Returns the bias-corrected exponentially weighted average of `values`.

    The weighted mean is taken term by term, not by recursion. `rho` may be one
    number for each value: the share that the average before it keeps.
    """
    rho = np.broadcast_to(rho, len(values))
    weights = [(1 - rho[i]) * np.prod(rho[i + 1 :]) for i in range(len(values))]
    return np.average(values, axis=0, weights=weights)


def batch_norm_gradient(x, upstream, gamma, epsilon):
    """Returns the gradients for `x`, gamma and beta, by the chain rule."""
    m = len(x)
    mean, deviation = x.mean(axis=0), np.sqrt(x.var(axis=0) + epsilon)
    x_hat = (x - mean) / deviation
    d_beta, d_gamma = upstream.sum(axis=0), (upstream * x_hat).sum(axis=0)
    d_x = gamma / (m * deviation) * (m * upstream - d_beta - x_hat * d_gamma)
    return d_x, d_gamma, d_beta


def inverted_dropout(x, d, keep_prob):
    return d * x / keep_prob


def hardmax(z):
    return np.array(
        [[float(j == row.argmax()) for j in range(len(row))] for row in z]
    )


def softmax(z):
    t = np.exp(z)
    return t / t.sum(axis=-1, keepdims=True)


def cross_entropy(y, y_hat):
    return -(y * np.log(y_hat)).sum(axis=-1)


def l2(w, lambda_, m):
    return lambda_ / (2 * m) * np.linalg.norm(np.ravel(w)) ** 2


def l1(w, lambda_, m):
    return lambda_ / m * np.linalg.norm(np.ravel(w), 1)


def l1_of_the_notes(w, lambda_, m):
    return lambda_ / (2 * m) * np.linalg.norm(np.ravel(w), 1)


def frobenius_norm(w):
    return np.sqrt(sum(w_ij**2 for w_ij in np.ravel(w)))


def xavier_variance(n_in, n_out):
    return 1 / n_in


def he_variance(n_in, n_out):
    return 2 / n_in


def xavier_bengio_variance(n_in, n_out):
    return 2 / (n_in + n_out)


def bias_variance_gaps(train, dev, bayes=0.0, test=None, train_dev=None):
    """Returns the gaps between errors, in the lectures' order, by name."""
    gaps = {"avoidable bias": train - bayes}
    if train_dev is None:
        gaps["variance"] = dev - train
    else:
        gaps["variance"] = train_dev - train
        gaps["data mismatch"] = dev - train_dev
    if test is not None:
        gaps["overfit to dev"] = test - dev
    return gaps


def split_sizes(m):
    """Returns 60/20/20 % of few examples; of many, 10,000 to dev and test."""
    held_out = max(round(m / 5), 1) if m < 100_000 else 10_000
    return m - 2 * held_out, held_out, held_out


def batch_size(m, fitting=math.inf):
    """Returns all of 2,000 or fewer, else 64 to 512, or None if none fits."""
    if m <= 2000 and m <= fitting:
        return m
    powers = [2**p for p in (6, 7, 8, 9)]
    return max((b for b in powers if b <= min(m, fitting)), default=None)


def two_sided_difference(f, theta, epsilon):
    """Returns the slope of `f` along each entry of `theta`."""
    slopes = np.zeros_like(theta, "float64")
    for index in np.ndindex(theta.shape):
        plus, minus = theta.astype("float64"), theta.astype("float64")
        plus[index] += epsilon
        minus[index] -= epsilon
        slopes[index] = (f(plus) - f(minus)) / (2 * epsilon)
    return slopes


def gradient_ratio(a, b):
    return np.sqrt(((a - b) ** 2).sum()) / (
        np.sqrt((a**2).sum()) + np.sqrt((b**2).sum())
    )


def optimizer_path(w, gradients, direction, learning_rate, l2=0.0):
    """Returns the parameters after each of the gradients.

    `direction` takes all gradients so far, with `l2 * w` added to each.
    `learning_rate` may be one number for each gradient.
    """
    rates = np.broadcast_to(learning_rate, len(gradients))
    seen, path = [], []
    for rate, g in zip(rates, gradients, strict=True):
        seen.append(g + l2 * w)
        w = w - rate * direction(np.stack(seen))
        path.append(w)
    return np.stack(path)


def gradient_descent_direction(gradients):
    return gradients[-1]


def momentum_direction(gradients, beta):
    return exponentially_weighted_average(gradients, beta, False)[-1]


def rmsprop_direction(gradients, beta, epsilon, epsilon_inside_sqrt=False):
    s = exponentially_weighted_average(gradients**2, beta, False)[-1]
    if epsilon_inside_sqrt:
        return gradients[-1] / np.sqrt(s + epsilon)
    return gradients[-1] / (np.sqrt(s) + epsilon)


def adam_direction(
    gradients, beta_1, beta_2, epsilon, epsilon_inside_sqrt=False
):
    v_hat = exponentially_weighted_average(gradients, beta_1, True)[-1]
    s_hat = exponentially_weighted_average(gradients**2, beta_2, True)[-1]
    if epsilon_inside_sqrt:
        return v_hat / np.sqrt(s_hat + epsilon)
    return v_hat / (np.sqrt(s_hat) + epsilon)


def inverse_time_decay(
    epoch_num, initial_learning_rate, decay_rate, interval=1
):
    n = math.floor(epoch_num / interval)
    return initial_learning_rate / (1 + decay_rate * n)


def exponential_decay(epoch_num, initial_learning_rate, base=0.95, interval=1):
    rate = initial_learning_rate
    for _ in range(math.floor(epoch_num / interval)):
        rate = rate * base
    return rate


def inverse_sqrt_decay(epoch_num, initial_learning_rate, k):
    if epoch_num == 0:
        epoch_num = 1
    return k / math.sqrt(epoch_num) * initial_learning_rate


def piecewise_constant_decay(epoch_num, boundaries, values):
    rate = values[0]
    for boundary, value in zip(boundaries, values[1:], strict=True):
        if epoch_num >= boundary:
            rate = value
    return rate
