"""What tf-keras has no module for, and Keras 1 and 2.0 to 2.3 had."""
