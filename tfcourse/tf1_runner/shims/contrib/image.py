"""`tf.contrib.image`: images rotated, translated and put in perspective."""

import tensorflow as tf

from tfcourse.tf1_runner.imports.symbol_names import names_from

__getattr__ = names_from("tf.contrib.image")


def transform(
    images, transforms, interpolation="NEAREST", output_shape=None, name=None
):
    r"""Returns images whose pixel (x, y) is that at (x', y') of the given.

    With $k = c_0 x + c_1 y + 1$, $x' = (a_0 x + a_1 y + a_2) / k$ and
    $y' = (b_0 x + b_1 y + b_2) / k$; 0 where that is outside.

    Args:
        images: Shape `(m, rows, columns, channels)`, or one of them, or one
            without channels.
        transforms: $(a_0, a_1, a_2, b_0, b_1, b_2, c_0, c_1)$, one for all or
            one for each.
        interpolation: `NEAREST` or `BILINEAR`.
        output_shape: Rows and columns, if not those given.
        name: Of the operation.
    """
    images = tf.convert_to_tensor(images)
    rank = images.shape.ndims
    batch = {
        2: lambda: images[None, :, :, None],
        3: lambda: images[None],
        4: lambda: images,
    }[rank]()
    transforms = tf.convert_to_tensor(transforms, tf.float32)
    if transforms.shape.ndims == 1:
        transforms = transforms[None]
    result = tf.raw_ops.ImageProjectiveTransformV2(
        images=batch,
        transforms=transforms,
        output_shape=tf.shape(batch)[1:3]
        if output_shape is None
        else output_shape,
        interpolation=interpolation.upper(),
        name=name,
    )
    if output_shape is None:
        result.set_shape(batch.shape)
    return {
        2: lambda: result[0, :, :, 0],
        3: lambda: result[0],
        4: lambda: result,
    }[rank]()


def rotate(images, angles, interpolation="NEAREST", name=None):
    """Returns images turned counterclockwise by `angles` in radians."""
    images = tf.convert_to_tensor(images)
    rows = 1 if images.shape.ndims == 4 else 0
    height, width = tf.unstack(tf.to_float(tf.shape(images)[rows : rows + 2]))
    transforms = angles_to_projective_transforms(angles, height, width)
    return transform(images, transforms, interpolation, name=name)


def translate(images, translations, interpolation="NEAREST", name=None):
    """Returns images moved by `(dx, dy)` pixels to the right and down."""
    transforms = translations_to_projective_transforms(translations)
    return transform(images, transforms, interpolation, name=name)


def angles_to_projective_transforms(
    angles, image_height, image_width, name=None
):
    """Returns the transforms that turn about the center of an image."""
    angles = tf.reshape(tf.convert_to_tensor(angles, tf.float32), [-1])
    cos, sin, zero = tf.cos(angles), tf.sin(angles), tf.zeros_like(angles)
    right, bottom = image_width - 1, image_height - 1
    dx = (right - (cos * right - sin * bottom)) / 2
    dy = (bottom - (sin * right + cos * bottom)) / 2
    return tf.stack([cos, -sin, dx, sin, cos, dy, zero, zero], 1)


def translations_to_projective_transforms(translations, name=None):
    """Returns the transforms that move an image by `(dx, dy)`."""
    translations = tf.convert_to_tensor(translations, tf.float32)
    dx, dy = tf.unstack(tf.reshape(translations, [-1, 2]), axis=1)
    one, zero = tf.ones_like(dx), tf.zeros_like(dx)
    return tf.stack([one, zero, -dx, zero, one, -dy, zero, zero], 1)
