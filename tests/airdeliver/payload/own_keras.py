"""Models and layers of Keras of one's own."""

import keras
import numpy as np


class Undescribed(keras.Model):
    def __init__(self, n):
        super().__init__()
        self.layer = keras.layers.Dense(n)

    def call(self, x):
        return self.layer(x)


class Table(keras.layers.Layer):
    """A layer that multiplies by a table which is no weight."""

    def __init__(self, table=None, **others):
        super().__init__(**others)
        self.table = table

    def build(self, shape):
        if self.table is None:
            self.table = self.made(shape[-1])

    def made(self, features):
        return np.random.default_rng().normal(size=(features, 4)).astype(np.float32)

    def call(self, x):
        return keras.ops.matmul(x, keras.ops.convert_to_tensor(self.table))


class Positions(Table):
    """The same with a table that constructing makes again."""

    def made(self, features):
        return np.sin(np.arange(4 * features, dtype=np.float32)).reshape(features, 4)


class Configured(Table):
    """The same with a table in its configuration."""

    def get_config(self):
        return {**super().get_config(), "table": np.asarray(self.table).tolist()}
