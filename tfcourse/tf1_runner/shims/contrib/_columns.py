"""The feature columns of `tf.contrib.layers`, by their heirs' names."""

import tensorflow as tf

_columns = tf.feature_column
_Hashed = type(_columns.categorical_column_with_hash_bucket("any", 2))


def real_valued_column(
    column_name,
    dimension=1,
    default_value=None,
    dtype=tf.float32,
    normalizer=None,
):
    return _columns.numeric_column(
        column_name, [dimension], default_value, dtype, normalizer
    )


def sparse_column_with_keys(column_name, keys, default_value=-1, **_):
    return _columns.categorical_column_with_vocabulary_list(
        column_name, keys, default_value=default_value
    )


def sparse_column_with_hash_bucket(column_name, hash_bucket_size, **_):
    return _columns.categorical_column_with_hash_bucket(
        column_name, hash_bucket_size
    )


def sparse_column_with_integerized_feature(column_name, bucket_size, **_):
    return _columns.categorical_column_with_identity(column_name, bucket_size)


def one_hot_column(sparse_id_column):
    return _columns.indicator_column(sparse_id_column)


def crossed_column(columns, hash_bucket_size, combiner="sum", **_):
    """Returns the crossing of columns; hashed ones cross by their strings."""
    keys = [
        column.key if type(column) is _Hashed else column for column in columns
    ]
    return _columns.crossed_column(keys, hash_bucket_size)
