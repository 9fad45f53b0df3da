"""`tf.contrib.layers`: TF-Slim, which is its continuation, and a few more."""

import tensorflow as tf

from tfcourse.tf1_runner.imports.symbol_names import names_from

__getattr__ = names_from(
    "tf.contrib.layers",
    "tf_slim.layers.layers",
    "tf_slim.layers.initializers",
    "tf_slim.layers.regularizers",
    "tf_slim.layers.optimizers",
    "tf_slim.layers.normalization",
    "tf_slim.layers.summaries",
    "tensorflow.feature_column",
)

embedding_lookup_unique = tf.nn.embedding_lookup
recompute_grad = tf.recompute_grad
safe_embedding_lookup_sparse = tf.nn.safe_embedding_lookup_sparse
_columns = tf.feature_column
create_feature_spec_for_parsing = _columns.make_parse_example_spec
sparse_column_with_vocabulary_file = (
    _columns.categorical_column_with_vocabulary_file
)
weighted_sparse_column = _columns.weighted_categorical_column
_Hashed = type(_columns.categorical_column_with_hash_bucket("any", 2))


def embed_sequence(
    ids,
    vocab_size=None,
    embed_dim=None,
    unique=False,
    initializer=None,
    regularizer=None,
    trainable=True,
    scope=None,
    reuse=None,
):
    """Returns the vectors of a batch of integers, `(m, time, embed_dim)`.

    Args:
        ids: Shape `(m, time)`.
        vocab_size: How many there are.
        embed_dim: The length of a vector.
        unique: Whether to look each up once; the result is the same.
        initializer: Of the vectors.
        regularizer: Of the vectors.
        trainable: Whether they are learned.
        scope: Of the variable.
        reuse: Whether to take the variable that is there.
    """
    with tf.variable_scope(scope, "EmbedSequence", [ids], reuse=reuse):
        embeddings = tf.get_variable(
            "embeddings",
            None if reuse else [vocab_size, embed_dim],
            initializer=initializer,
            regularizer=regularizer,
            trainable=trainable,
        )
        return tf.nn.embedding_lookup(embeddings, ids)


def bow_encoder(ids, vocab_size, embed_dim, **settings):
    """Returns the mean of the vectors of each row's integers."""
    settings.pop("sparse_lookup", None)
    vectors = embed_sequence(ids, vocab_size, embed_dim, **settings)
    return tf.reduce_mean(vectors, axis=1)


def input_from_feature_columns(
    columns_to_tensors, feature_columns, *args, **kwargs
):
    return _columns.input_layer(columns_to_tensors, feature_columns)


# The feature columns, by their heirs' names.


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
