"""Parts of Keras 3 layers: the spatial penalty, W_bio and sign rules for recurrent kernels.

Importing this registers the parts with Keras, so that saved models can be loaded.
"""

from biosernn.errors import BadInput

try:
    from keras.constraints import NonNeg as NonNegative

    from biosernn.keras.bio_initializer import BioInitializer
    from biosernn.keras.dale import Dale
    from biosernn.keras.spatial_regularizer import SpatialRegularizer
except ImportError as error:
    raise BadInput(
        "biosernn.keras",
        f"Keras 3 cannot be imported ({error})",
        "pip install 'biosernn[keras]', with KERAS_BACKEND=jax or tensorflow-cpu",
    ) from error

__all__ = ["BioInitializer", "Dale", "NonNegative", "SpatialRegularizer"]
