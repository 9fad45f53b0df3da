"""The feature columns of `tf.contrib.layers`, by their heirs' names."""

import tensorflow as tf

_columns = tf.feature_column


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
