"""`tf.contrib.learn.graph_actions`: tensors run in a session of their own."""

import tensorflow as tf


def run_n(output_dict, feed_dict=None, restore_checkpoint_path=None, n=1):
    """Returns the values of tensors, n times, in a list.

    Args:
        output_dict: Names, and tensors.
        feed_dict: Of the session.
        restore_checkpoint_path: Where the variables have their values from, if
            they are not to be initialized.
        n: How many times.
    """
    feeds = [feed_dict] * n
    return list(run_feeds_iter(output_dict, feeds, restore_checkpoint_path))


def run_feeds(output_dict, feed_dicts, restore_checkpoint_path=None):
    """Returns the values of tensors for each of the feeds, in a list."""
    return list(
        run_feeds_iter(output_dict, feed_dicts, restore_checkpoint_path)
    )


def run_feeds_iter(output_dict, feed_dicts, restore_checkpoint_path=None):
    graph = tf.nest.flatten(output_dict)[0].graph
    with graph.as_default(), tf.Session() as session:
        session.run(tf.global_variables_initializer())
        session.run(tf.local_variables_initializer())
        session.run(tf.tables_initializer())
        if restore_checkpoint_path:
            tf.train.Saver().restore(session, restore_checkpoint_path)
        coordinator = tf.train.Coordinator()
        threads = tf.train.start_queue_runners(session, coordinator)
        for feed_dict in feed_dicts:
            yield session.run(output_dict, feed_dict)
        coordinator.request_stop()
        coordinator.join(threads, stop_grace_period_secs=5)
