"""What the tests with Keras share: its back end, gradients on it, and its precision."""

import contextlib

import jax
import numpy as np
import pytest

keras = pytest.importorskip("keras", reason="needs Keras 3 and a back end: make test-keras")

BACK_END = keras.backend.backend()
MODES = ("eager", "graph", "jit") if BACK_END == "tensorflow" else ("eager", "jit")
"""Ways to run on this back end; a graph of TensorFlow's may be compiled by XLA (jit) or not."""


def compiled(function, mode):
    """The value and gradient of a function of one kernel, as NumPy arrays."""
    if BACK_END == "tensorflow":
        import tensorflow as tf

        def value_and_gradient(kernel):
            with tf.GradientTape() as tape:
                tape.watch(kernel)
                value = function(kernel)
            return value, tape.gradient(value, kernel)

        if mode != "eager":
            value_and_gradient = tf.function(value_and_gradient, jit_compile=mode == "jit")
    else:
        value_and_gradient = jax.value_and_grad(function)
        if mode == "jit":
            value_and_gradient = jax.jit(value_and_gradient)

    def call(kernel):
        tensors = value_and_gradient(keras.ops.convert_to_tensor(kernel))
        return tuple(keras.ops.convert_to_numpy(tensor) for tensor in tensors)

    return call


@contextlib.contextmanager
def precision(bits):
    """Keras's float type and JAX's, which the engine needs as well."""
    _set_float_type(f"float{bits}")
    try:
        with jax.enable_x64(bits == 64):
            yield
    finally:
        _set_float_type("float32")


def _set_float_type(name):
    keras.config.set_floatx(name)
    keras.config.set_dtype_policy(name)


def assert_close(result, reference, tolerance):
    """Relative to the largest entry, as ORACLE.md measures gradients."""
    assert np.abs(result - reference).max() <= tolerance * np.abs(reference).max()
