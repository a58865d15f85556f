"""TensorFlow and Keras as a peer of the benchmark: `python keras_peer.py THREADS`.

Modes: `fit` (model.fit of a compiled model, which runs as a graph) and `gradient tape` (the same model trained by a
tf.GradientTape under tf.function). fit trains many minibatches a call, so that what a call costs is spread as it is in use.
"""

import os
import sys
import time

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
os.environ["KERAS_BACKEND"] = "tensorflow"

import keras  # noqa: E402
import tensorflow as tf  # noqa: E402
from keras import layers
from peer import examples, loader, serve

THREADS = int(sys.argv[1])
tf.config.threading.set_intra_op_parallelism_threads(THREADS)
tf.config.threading.set_inter_op_parallelism_threads(1)
MOST_FIT_STEPS = 50
FIT_SECONDS = 0.2


def layers_of(layer):
    """Images are (height, width, channels) here, as TensorFlow computes on CPUs."""
    kind = layer["kind"]
    padding = [layers.ZeroPadding2D(layer["padding"])] if layer.get("padding", 0) > 0 else []
    if kind == "conv2d":
        return [*padding, layers.Conv2D(layer["filters"], layer["kernelSize"], strides=layer["stride"])]
    if kind == "averagePool2d":
        return [*padding, layers.AveragePooling2D(layer["size"], strides=layer["stride"])]
    if kind == "maxPool2d":
        if padding:
            raise ValueError("Keras has no max-pool with this padding.")
        return [layers.MaxPooling2D(layer["size"], strides=layer["stride"])]
    if kind == "dropout":
        return [(layers.SpatialDropout2D if layer["unit"] == "channel" else layers.Dropout)(layer["rate"])]
    if kind == "dense":
        return [layers.Dense(layer["units"])]
    if kind == "flatten":
        return [layers.Flatten()]
    if kind == "leakyRelu":
        return [layers.LeakyReLU(negative_slope=layer["slope"])]
    return [layers.Activation(kind)]


def optimiser_of(spec):
    if spec["weightDecay"] > 0:
        raise ValueError("Keras's weight decay is another formula than that of the recipe.")
    if spec["kind"] == "adam":
        return keras.optimizers.Adam(spec["learningRate"], spec["beta1"], spec["beta2"], spec["epsilon"])
    return keras.optimizers.SGD(spec["learningRate"], spec["momentum"], spec["nesterov"])


@loader
def load(recipe):
    images, labels = examples(recipe)
    return tf.constant(images.transpose(0, 2, 3, 1)), tf.constant(labels)


def prepare(mode, batch_size, recipe):
    keras.utils.set_random_seed(1)
    channels, height, width = recipe["network"]["input"]
    stack = [made for layer in recipe["network"]["layers"] for made in layers_of(layer)]
    model = keras.Sequential([keras.Input((height, width, channels)), *stack])
    loss_of = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    optimiser = optimiser_of(recipe["optimiser"])
    data = tf.data.Dataset.from_tensor_slices(load(recipe)).shuffle(1000, seed=1).repeat()
    data = data.batch(batch_size, drop_remainder=True).prefetch(2)
    options = tf.data.Options()
    options.threading.private_threadpool_size = 1
    data = data.with_options(options)

    if mode == "fit":
        model.compile(optimizer=optimiser, loss=loss_of, jit_compile=False)
        batches = iter(data)

        def endless():
            while True:
                yield next(batches)

        source = endless()

        def fit(steps):
            return model.fit(source, steps_per_epoch=steps, epochs=1, verbose=0)

        # The first call compiles.
        fit(1)
        start = time.perf_counter()
        fit(2)
        steps = int(FIT_SECONDS / ((time.perf_counter() - start) / 2))
        steps = max(1, min(MOST_FIT_STEPS, steps))

        def train_fit():
            history = fit(steps)
            return steps * batch_size, lambda: history.history["loss"][-1]

        return train_fit

    @tf.function
    def step(x, y):
        with tf.GradientTape() as tape:
            loss = loss_of(y, model(x, training=True))
        optimiser.apply_gradients(
            zip(tape.gradient(loss, model.trainable_variables), model.trainable_variables)
        )
        return loss

    batches = iter(data)

    def train():
        loss = step(*next(batches))
        return batch_size, loss.numpy

    return train


serve({"tensorflow": tf.__version__, "keras": keras.__version__}, prepare, keras.backend.clear_session)
