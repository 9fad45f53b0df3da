"""What to write today for each part of `tf.contrib` that is not served."""

_ADDONS = "TensorFlow Addons had it last, and ended in 2024: copy its source"
_DATA = "use `tf.data` (`{}`)"
_PROBABILITY = "use the package `tensorflow-probability`"
_CELL = "it has no successor: use `LSTMCell` or `GRUCell` of `tf.nn.rnn_cell`"
_ESTIMATOR = "use `tf.estimator.{}`, which runs"
_STRATEGY = "use `tf.distribute.{}`"
_FOREST = "use the package `tensorflow-decision-forests`, or scikit-learn's"
_ADAM = "it has no successor: use `tf.train.AdamOptimizer`"

# The beginning of a name below `tf.contrib`, and what to do; of those that fit,
# the longest counts.
ADVICE = {
    "all_reduce": _STRATEGY.format("MirroredStrategy"),
    "autograph": "use `tf.autograph`, or `tf.function`, which converts by "
    "itself",
    "bayesflow": _PROBABILITY,
    "boosted_trees": f"{_FOREST} `GradientBoostingClassifier`",
    "coder": "use the package `tensorflow-compression`",
    "constrained_optimization": "use the package `tensorflow_constrained_"
    "optimization`, or add penalties to the loss",
    "copy_graph": "make the operations again in the other graph, or use "
    "`tf.graph_util.import_graph_def`",
    "crf": "use `crf_log_likelihood`, `crf_decode` or `viterbi_decode`, which "
    "run",
    "cudnn_rnn": "use `tf.keras.layers.LSTM` or `GRU`, which choose cuDNN by "
    "themselves (time comes second there, not first)",
    "cudnn_rnn.CudnnCompatibleGRUCell": "use `tf.nn.rnn_cell.GRUCell`",
    "cudnn_rnn.CudnnCompatibleLSTMCell": "use `tf.nn.rnn_cell.LSTMCell` with "
    "`forget_bias=0`",
    "data": "use `tf.data` and `tf.data.experimental`",
    "data.LMDBDataset": "use the package `tensorflow-io`",
    "data.assert_element_shape": _DATA.format("tf.ensure_shape in a map"),
    "data.padded_batch_and_drop_remainder": _DATA.format(
        "padded_batch(..., drop_remainder=True)"
    ),
    "data.sliding_window_batch": _DATA.format("window, and flat_map"),
    "data.sloppy_interleave": _DATA.format(
        "interleave(..., deterministic=False)"
    ),
    "distribute": _STRATEGY.format("MirroredStrategy"),
    "distribute.CollectiveAllReduceStrategy": _STRATEGY.format(
        "MultiWorkerMirroredStrategy"
    ),
    "distribute.ParameterServerStrategy": _STRATEGY.format(
        "experimental.ParameterServerStrategy"
    ),
    "distribute.TPUStrategy": _STRATEGY.format("TPUStrategy"),
    "distributions": _PROBABILITY,
    "eager": "use TensorFlow 2, which runs eagerly without it",
    "eager.CheckpointableSaver": "use `tf.train.Checkpoint`",
    "eager.Saver": "use `tf.train.Checkpoint`",
    "estimator": "use `tf.estimator`, which runs",
    "estimator.clip_gradients_by_norm": "clip by `tf.clip_by_norm` between "
    "`compute_gradients` and `apply_gradients`",
    "estimator.replicate_model_fn": _STRATEGY.format("MirroredStrategy"),
    "estimator.TowerOptimizer": _STRATEGY.format("MirroredStrategy"),
    "factorization": "use `sklearn.decomposition.NMF`",
    "factorization.GMM": "use `sklearn.mixture.GaussianMixture`",
    "feature_column": "use `tf.keras.experimental.SequenceFeatures`",
    "ffmpeg": "use `tf.audio.decode_wav`, or the package `tensorflow-io`",
    "framework": "write it with `tf.debugging` or plain Python",
    "framework.get_graph_from_inputs": "use `tf.get_default_graph`",
    "framework.get_placeholders": "go through `graph.get_operations()` and "
    "keep "
    "those of type `Placeholder`",
    "framework.load_and_remap_matrix": "use `tf.train.load_checkpoint`, and "
    "NumPy",
    "gan": "use the package `tensorflow-gan`",
    "graph_editor": "write the graph again; `tf.graph_util.import_graph_def` "
    "takes "
    "an `input_map`",
    "grid_rnn": _CELL,
    "hadoop": "use the package `tensorflow-io`",
    "image": _ADDONS,
    "image.adjust_hsv_in_yiq": "use `tf.image.adjust_hue` and "
    "`adjust_saturation`",
    "image.random_hsv_in_yiq": "use `tf.image.random_hue` and "
    "`random_saturation`",
    "image.connected_components": "use `scipy.ndimage.label`",
    "image.bipartite_match": "use `scipy.optimize.linear_sum_assignment`",
    "input_pipeline": "use `tf.data`",
    "integrate": "use `scipy.integrate.solve_ivp`, or "
    "`tensorflow-probability`'s "
    "`tfp.math.ode`",
    "kernel_methods": "use "
    "`tf.keras.layers.experimental.RandomFourierFeatures`, "
    "or `sklearn.kernel_approximation.RBFSampler`",
    "kfac": "it has no successor in TensorFlow: use `tf.train.AdamOptimizer`",
    "labeled_tensor": "use the package `xarray`",
    "layers": "use `tf.layers` and `tf.feature_column`, which run",
    "layers.bucketize": "use `tf.raw_ops.Bucketize`, or "
    "`tf.feature_column.bucketized_column`",
    "layers.regression_target": "use `tf.estimator.RegressionHead`",
    "layers.rev_block": "use `tf.recompute_grad`",
    "learn": "use `tf.estimator`, which runs",
    "learn.BaseEstimator": _ESTIMATOR.format("Estimator"),
    "learn.DynamicRnnEstimator": "use `tf.nn.dynamic_rnn` in the `model_fn` "
    "of a "
    "`tf.estimator.Estimator`",
    "learn.LogisticRegressor": _ESTIMATOR.format("LinearClassifier"),
    "learn.SVM": "use `sklearn.svm.SVC`",
    "learn.TensorFlowDNNClassifier": "use `tf.contrib.learn.DNNClassifier`, "
    "which "
    "runs",
    "learn.TensorFlowDNNRegressor": "use `tf.contrib.learn.DNNRegressor`, "
    "which "
    "runs",
    "learn.TensorFlowEstimator": "use `tf.contrib.learn.Estimator`, which runs",
    "learn.TensorFlowLinearClassifier": "use "
    "`tf.contrib.learn.LinearClassifier`, "
    "which runs",
    "learn.extract_pandas": "use `frame.values`",
    "learn.extract_dask": "use `array.compute()`",
    "learn.read_batch": "use "
    "`tf.data.experimental.make_batched_features_dataset`",
    "learn.ops": "use `tf.layers.dense`, which runs",
    "learn.models": "use `tf.layers.dense` and a loss of `tf.losses`, which "
    "run",
    "learn.utils": "use `tf.estimator.export`",
    "libsvm": "use `sklearn.datasets.load_svmlight_file`",
    "linalg.LinearOperatorTriL": "use "
    "`tf.linalg.LinearOperatorLowerTriangular`",
    "linalg.LinearOperatorUDVHUpdate": "use "
    "`tf.linalg.LinearOperatorLowRankUpdate`",
    "lite.toco_convert": "use `tf.lite.TFLiteConverter`, which runs",
    "lookup": "use `tf.lookup.StaticHashTable`, or `index_table_from_tensor`, "
    "which runs",
    "losses.metric_learning": _ADDONS,
    "memory_stats": "use `tf.config.experimental.get_memory_info`",
    "metrics": "use `tf.metrics`, which runs",
    "mixed_precision": "use `tf.train.experimental."
    "enable_mixed_precision_graph_rewrite`, which scales the loss by itself",
    "model_pruning": "use the package `tensorflow-model-optimization`",
    "nccl": _STRATEGY.format("NcclAllReduce"),
    "nearest_neighbor": "use `sklearn.neighbors`",
    "nn": "use `tf.nn`",
    "nn.alpha_dropout": "use `tf.keras.layers.AlphaDropout`",
    "nn.rank_sampled_softmax_loss": "use `tf.nn.sampled_softmax_loss`",
    "nn.sampled_sparse_softmax_loss": "use `tf.nn.sampled_softmax_loss`",
    "opt": _ADAM,
    "opt.DropStaleGradientOptimizer": _STRATEGY.format("MirroredStrategy"),
    "opt.ElasticAverage": _STRATEGY.format("MirroredStrategy"),
    "opt.ExternalOptimizerInterface": "use `ScipyOptimizerInterface`, which "
    "runs",
    "opt.LARSOptimizer": _ADDONS,
    "opt.LazyAdamGSOptimizer": "use `LazyAdamOptimizer`, which runs",
    "opt.ModelAverage": "use `MovingAverageOptimizer`, which runs",
    "opt.MultitaskOptimizerWrapper": _ADDONS,
    "opt.VariableClippingOptimizer": "give `tf.get_variable` a `constraint`",
    "periodic_resample": "use `tf.nn.depth_to_space`",
    "predictor": "use `from_saved_model`, which runs",
    "quantize": "use the package `tensorflow-model-optimization`",
    "receptive_field": "compute it from kernels and strides",
    "recurrent": "use `tf.nn.dynamic_rnn`, which runs",
    "reduce_slice_ops": "use `tf.math.segment_sum`",
    "resampler": _ADDONS,
    "rnn": _CELL,
    "rnn.AttentionCellWrapper": "use `tf.contrib.seq2seq.AttentionWrapper`, "
    "which "
    "runs",
    "rnn.CompiledWrapper": "use the cell alone: XLA is `jit_compile` today",
    "rnn.FusedRNNCell": "use `tf.nn.dynamic_rnn`, which runs",
    "rnn.LSTMBlock": "use `LSTMBlockCell` in `tf.nn.dynamic_rnn`, which run",
    "rnn.TimeReversedFusedRNN": "use `tf.nn.bidirectional_dynamic_rnn`, which "
    "runs",
    "rnn.stack_bidirectional_rnn": "use `stack_bidirectional_dynamic_rnn`, "
    "which "
    "runs",
    "rpc": "use the package `grpcio`",
    "saved_model": "use `tf.saved_model`, and `model.save` of Keras",
    "seq2seq": "use `BasicDecoder`, `AttentionWrapper` or `BeamSearchDecoder`, "
    "which run, or an attention layer of Keras",
    "seq2seq.BahdanauMonotonicAttention": "use `BahdanauAttention`, which runs",
    "seq2seq.LuongMonotonicAttention": "use `LuongAttention`, which runs",
    "legacy_seq2seq": "use `basic_rnn_seq2seq` or `embedding_rnn_seq2seq`, "
    "which "
    "run",
    "solvers": "use `scipy.sparse.linalg`",
    "sparsemax": _ADDONS,
    "specs": "use `tf.layers`, which runs",
    "stat_summarizer": "use `tf.profiler`",
    "tensor_forest": f"{_FOREST} `RandomForestClassifier`",
    "tensorrt": "use `tf.experimental.tensorrt`",
    "testing": "use `tf.test`",
    "text": "use `tf.keras.preprocessing.sequence.skipgrams`",
    "timeseries": "use `tf.keras.layers.LSTM` on windows",
    "tpu": _STRATEGY.format("TPUStrategy"),
    "training": "use `tf.data`",
    "training.batch_sequences_with_states": "use `tf.keras.layers.LSTM` with "
    "`stateful=True`",
    "training.SequenceQueueingStateSaver": "use `tf.keras.layers.LSTM` with "
    "`stateful=True`",
    "training.NextQueuedSequenceBatch": "use `tf.keras.layers.LSTM` with "
    "`stateful=True`",
    "training.bucket": _DATA.format("bucket_by_sequence_length"),
    "training.AcceleratedOptimizer": _ADAM,
    "training.FeedingQueueRunner": _DATA.format("from_generator"),
    "training.python_input": _DATA.format("from_generator"),
    "training.rejection_sample": _DATA.format("rejection_resample"),
    "training.stratified_sample": _DATA.format("rejection_resample"),
    "training.weighted_resample": _DATA.format("sample_from_datasets"),
    "training.resample_at_rate": _DATA.format("sample_from_datasets"),
    "training.RandomStrategy": "use `tf.train.replica_device_setter`",
    "training.GreedyLoadBalancingStrategy": "use "
    "`tf.train.replica_device_setter`",
    "util": "use `tf.train.Example`, or `tf.graph_util`",
}


def advise_on_contrib(name: str) -> str | None:
    """Returns what to write instead of a name, or None if none is known.

    Args:
        name: Without `tf.contrib.`, such as `opt.LARSOptimizer`.
    """
    fits = [start for start in ADVICE if name.startswith(start)]
    return ADVICE[max(fits, key=len)] if fits else None
