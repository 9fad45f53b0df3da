"""The private names of Keras that tfcourse uses; a test holds each.

Should Keras rename one, that test fails and only this folder changes.
"""

from tfcourse.utils.keras_private.building import (
    Created as Created,
)
from tfcourse.utils.keras_private.building import (
    NotBuiltYetError as NotBuiltYetError,
)
from tfcourse.utils.keras_private.building import (
    changed_variables as changed_variables,
)
from tfcourse.utils.keras_private.building import (
    deferred_initialization as deferred_initialization,
)
from tfcourse.utils.keras_private.building import (
    noting_created as noting_created,
)
from tfcourse.utils.keras_private.building import (
    unbuilt as unbuilt,
)
from tfcourse.utils.keras_private.layers import (
    ELEMENTWISE_OPERATIONS as ELEMENTWISE_OPERATIONS,
)
from tfcourse.utils.keras_private.layers import (
    Call as Call,
)
from tfcourse.utils.keras_private.layers import (
    build_shapes as build_shapes,
)
from tfcourse.utils.keras_private.layers import (
    build_symbolically as build_symbolically,
)
from tfcourse.utils.keras_private.layers import (
    called as called,
)
from tfcourse.utils.keras_private.layers import (
    calls as calls,
)
from tfcourse.utils.keras_private.layers import (
    cells_with_masks as cells_with_masks,
)
from tfcourse.utils.keras_private.layers import (
    every_layer as every_layer,
)
from tfcourse.utils.keras_private.layers import (
    first_of_sequential as first_of_sequential,
)
from tfcourse.utils.keras_private.layers import (
    give_input as give_input,
)
from tfcourse.utils.keras_private.layers import (
    graph_of as graph_of,
)
from tfcourse.utils.keras_private.layers import (
    initializer_of as initializer_of,
)
from tfcourse.utils.keras_private.layers import (
    is_plain_functional as is_plain_functional,
)
from tfcourse.utils.keras_private.layers import (
    logits_of as logits_of,
)
from tfcourse.utils.keras_private.layers import (
    made_from_logits as made_from_logits,
)
from tfcourse.utils.keras_private.layers import (
    mask_of as mask_of,
)
from tfcourse.utils.keras_private.layers import (
    noise_shape_of as noise_shape_of,
)
from tfcourse.utils.keras_private.layers import (
    rebuild as rebuild,
)
from tfcourse.utils.keras_private.layers import (
    set_layers as set_layers,
)
from tfcourse.utils.keras_private.layers import (
    set_logits as set_logits,
)
from tfcourse.utils.keras_private.layers import (
    set_mask as set_mask,
)
from tfcourse.utils.keras_private.layers import (
    set_masks as set_masks,
)
from tfcourse.utils.keras_private.layers import (
    standardized_inputs as standardized_inputs,
)
from tfcourse.utils.keras_private.layers import (
    sublayers as sublayers,
)
from tfcourse.utils.keras_private.optimizers import (
    CLIPS as CLIPS,
)
from tfcourse.utils.keras_private.optimizers import (
    clipped as clipped,
)
from tfcourse.utils.keras_private.optimizers import (
    decays as decays,
)
from tfcourse.utils.keras_private.optimizers import (
    in_place_undone as in_place_undone,
)
from tfcourse.utils.keras_private.optimizers import (
    iterations_and_rate as iterations_and_rate,
)
from tfcourse.utils.keras_private.optimizers import (
    learning_rate_of as learning_rate_of,
)
from tfcourse.utils.keras_private.optimizers import (
    overwrite_without_branches as overwrite_without_branches,
)
from tfcourse.utils.keras_private.optimizers import (
    set_clipping as set_clipping,
)
from tfcourse.utils.keras_private.optimizers import (
    set_decays as set_decays,
)
from tfcourse.utils.keras_private.optimizers import (
    without_rate as without_rate,
)
from tfcourse.utils.keras_private.patching import (
    divide_replaced as divide_replaced,
)
from tfcourse.utils.keras_private.process import (
    BIT64_TO_BIT32_DTYPE as BIT64_TO_BIT32_DTYPE,
)
from tfcourse.utils.keras_private.process import (
    GLOBAL_SEED_GENERATOR as GLOBAL_SEED_GENERATOR,
)
from tfcourse.utils.keras_private.process import (
    GLOBAL_SEEDS as GLOBAL_SEEDS,
)
from tfcourse.utils.keras_private.process import (
    fresh_names as fresh_names,
)
from tfcourse.utils.keras_private.process import (
    global_attributes as global_attributes,
)
from tfcourse.utils.keras_private.process import (
    global_seed as global_seed,
)
from tfcourse.utils.keras_private.process import (
    layer_at_work as layer_at_work,
)
from tfcourse.utils.keras_private.process import (
    set_global_attributes as set_global_attributes,
)
from tfcourse.utils.keras_private.training import (
    COMPILED_LOSS as COMPILED_LOSS,
)
from tfcourse.utils.keras_private.training import (
    DTYPE as DTYPE,
)
from tfcourse.utils.keras_private.training import (
    DTYPE_POLICY as DTYPE_POLICY,
)
from tfcourse.utils.keras_private.training import (
    VALUE as VALUE,
)
from tfcourse.utils.keras_private.training import (
    adds_losses as adds_losses,
)
from tfcourse.utils.keras_private.training import (
    begin_at as begin_at,
)
from tfcourse.utils.keras_private.training import (
    clear_losses as clear_losses,
)
from tfcourse.utils.keras_private.training import (
    compile_argument as compile_argument,
)
from tfcourse.utils.keras_private.training import (
    compile_as as compile_as,
)
from tfcourse.utils.keras_private.training import (
    compiled_loss as compiled_loss,
)
from tfcourse.utils.keras_private.training import (
    compiled_metrics as compiled_metrics,
)
from tfcourse.utils.keras_private.training import (
    larger_is_better as larger_is_better,
)
from tfcourse.utils.keras_private.training import (
    loss_arguments as loss_arguments,
)
from tfcourse.utils.keras_private.training import (
    loss_of as loss_of,
)
from tfcourse.utils.keras_private.training import (
    loss_tracker as loss_tracker,
)
from tfcourse.utils.keras_private.training import (
    loss_weights_of as loss_weights_of,
)
from tfcourse.utils.keras_private.training import (
    losses_of_outputs as losses_of_outputs,
)
from tfcourse.utils.keras_private.training import (
    set_loss as set_loss,
)
from tfcourse.utils.keras_private.training import (
    with_loss_arguments as with_loss_arguments,
)
from tfcourse.utils.keras_private.training import (
    wrapped_function as wrapped_function,
)
