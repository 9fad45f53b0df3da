"""Whether a program trains its members as Keras trains them alone."""

from tfcourse.tuning.caviar.verification.verification import Verification

__all__ = ["Verification"]
