"""What real PyTorch computes at every layer on the way to the loss and back, for tests of the walk through the layers.

Usage, from the repository's root, after pytorch_reference.py (its parity files have the weights to start from):

    pip install torch==2.13.0 numpy safetensors
    python3 bench/peers/pytorch_layer_walk.py

It writes layer-walk.safetensors.gz and layer-walk.json to src-worker/engine/fixtures (or to --out FOLDER): for every recipe,
on two MNIST images, and for small networks at the edges of what a layer may meet, the first training step with dropout on.

Layers are torch.nn modules. A forward hook keeps what each puts out and a full backward hook both errors that autograd sends
through it: dL/d output (`<layer>.error`) and dL/d input. The latter must be, to the last bit, the error of the layer before,
so it is stored once; that of the first layer is dL/d image, of which training has no use. `<parameter>.gradient` is .grad.

Masks are those of Gradscope's seeded dropout, made here from its definition (Philox4x32-10, key = (seed, 4),
counter = (block, layer, step, 0), a word's upper 24 bits below the rate drop), not read from Gradscope.

Run again, it writes the same tensors with the versions named in the JSON. One thread, so that no sum depends on the machine.
"""

import argparse
import base64
import gzip
import math
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from pytorch_reference import FLATTEN, LOSSES, RECIPES, ROOT, conv, dense, dropout, pool, read_mnist, relu, write_json
from safetensors.torch import load_file, save

SEED, STEP = 20221109, 1

# ---- the recipes' networks, dropout included ----

POOL_FIRST = [
    conv("conv1", 10, 5), pool("pool1", 2), relu("relu1"),
    conv("conv2", 20, 5), dropout("dropout1", "channel"), pool("pool2", 2), relu("relu2"),
    FLATTEN, dense("fc1", 50), relu("relu3"), dropout("dropout2", "element"), dense("fc2", 10),
]  # fmt: skip
RELU_FIRST = [
    conv("conv1", 10, 5), relu("relu1"), pool("pool1", 2),
    conv("conv2", 20, 5), relu("relu2"), pool("pool2", 2), dropout("dropout1", "element"),
    FLATTEN, dense("fc1", 50), relu("relu3"), dense("fc2", 10),
]  # fmt: skip
RECIPE_LAYERS = {"pytorch-paper": POOL_FIRST, "keras-paper": RELU_FIRST, "keras-double-softmax": RELU_FIRST}
IMAGES_OF_RECIPE = 2

# ---- small networks ----

# Rows and columns left over by the pool; conv of 3x3 and 1x1.
LEFT_OVER = [
    conv("conv1", 3, 3), pool("pool1", 2), relu("relu1"),
    conv("conv2", 4, 1), dropout("dropout1", "channel"), relu("relu2"),
    FLATTEN, dense("fc1", 6), dropout("dropout2", "element", 0.25), dense("fc2", 5),
]  # fmt: skip
RELU_THEN_POOL = [
    conv("conv1", 3, 3), relu("relu1"), pool("pool1", 3), dropout("dropout1", "element"),
    conv("conv2", 4, 2), relu("relu2"), FLATTEN, dense("fc1", 4),
]  # fmt: skip
ONE_BY_ONE = [
    conv("conv1", 4, 1), relu("relu1"), conv("conv2", 3, 1), pool("pool1", 2),
    dropout("dropout1", "element", 0.25), FLATTEN, dense("fc1", 5),
]  # fmt: skip
DROPOUT_FIRST = [
    dropout("dropout0", "element"), relu("relu0"), conv("conv1", 2, 3), dropout("dropout1", "channel", 0.25),
    conv("conv2", 2, 1), relu("relu1"), FLATTEN, dense("fc1", 3),
]  # fmt: skip
NO_IMAGE = [
    FLATTEN, dense("fc1", 8), relu("relu1"), dropout("dropout1", "element"), dense("fc2", 6), relu("relu2"),
    dense("fc3", 4),
]  # fmt: skip
ONE_WINDOW = [conv("conv1", 3, 1), pool("pool1", 5), FLATTEN, dense("fc1", 2)]

ONE, TWICE = "softmaxCrossEntropy", "softmaxOfSoftmaxCrossEntropy"
# name, layers, (height, width), whether pixels are 0 or 1 in patches and parameters small whole numbers, loss. Whole numbers
# sum exactly: windows tie and ReLU meets exactly 0, whatever the order in which somebody adds.
CASES = [
    ("left-over", LEFT_OVER, (11, 9), False, ONE),
    ("constant-patches", LEFT_OVER, (11, 9), True, ONE),
    ("relu-then-pool", RELU_THEN_POOL, (12, 11), False, ONE),
    ("exact-zeros", RELU_THEN_POOL, (12, 11), True, ONE),
    ("one-by-one", ONE_BY_ONE, (7, 5), False, ONE),
    ("dropout-first", DROPOUT_FIRST, (6, 6), False, ONE),
    ("no-image", NO_IMAGE, (4, 5), False, ONE),
    ("one-window", ONE_WINDOW, (5, 5), True, ONE),
    ("softmax-twice", LEFT_OVER, (11, 9), False, TWICE),
    ("softmax-twice-ties", LEFT_OVER, (11, 9), True, TWICE),
]


class GivenDropout(torch.nn.Module):
    def __init__(self, mask):
        super().__init__()
        self.mask = mask

    def forward(self, x):
        return x * self.mask.reshape(*self.mask.shape, *[1] * (x.ndim - self.mask.ndim))


def philox_words(count, layer):
    """`count` random words for the dropout of a layer, SEED and STEP (Salmon et al., SC'11)."""
    blocks = math.ceil(count / 4)
    c = [np.arange(blocks, dtype=np.uint64), *(np.full(blocks, v, np.uint64) for v in (layer, STEP, 0))]
    k0, k1 = SEED, 4
    low = np.uint64(0xFFFFFFFF)
    for _ in range(10):
        p0, p1 = c[0] * np.uint64(0xD2511F53), c[2] * np.uint64(0xCD9E8D57)
        high0, high1 = p0 >> np.uint64(32), p1 >> np.uint64(32)
        c = [high1 ^ c[1] ^ np.uint64(k0), p1 & low, high0 ^ c[3] ^ np.uint64(k1), p0 & low]
        k0, k1 = (k0 + 0x9E3779B9) & 0xFFFFFFFF, (k1 + 0xBB67AE85) & 0xFFFFFFFF
    return np.stack(c, axis=1).reshape(-1)[:count]


def dropout_mask(shape, rate, layer):
    uniform = (philox_words(math.prod(shape), layer) >> np.uint64(8)).astype(np.float64) * 2.0**-24
    return torch.from_numpy(np.where(uniform < rate, 0, np.float32(1 / (1 - rate))).astype(np.float32).reshape(shape))


def build(layers, shape, n):
    """The network as torch.nn modules, by layer name in order, and the shape of its logits."""
    modules = {}
    for index, layer in enumerate(layers):
        kind = layer["kind"]
        if kind == "conv2d":
            k, filters = layer["kernelSize"], layer["filters"]
            module = torch.nn.Conv2d(shape[0], filters, k)
            shape = (filters, shape[1] - k + 1, shape[2] - k + 1)
        elif kind == "maxPool2d":
            module = torch.nn.MaxPool2d(layer["size"])
            shape = (shape[0], shape[1] // layer["size"], shape[2] // layer["size"])
        elif kind == "relu":
            module = torch.nn.ReLU()
        elif kind == "flatten":
            module = torch.nn.Flatten()
            shape = (math.prod(shape),)
        elif kind == "dense":
            module = torch.nn.Linear(shape[0], layer["units"])
            shape = (layer["units"],)
        else:
            decides = shape[:1] if layer["unit"] == "channel" else shape
            module = GivenDropout(dropout_mask((n, *decides), layer["rate"], index))
        modules[layer["name"]] = module
    return modules, shape


def walk(prefix, modules, images, labels, loss_of):
    """One step's forward and backward pass under hooks: tensors by name."""
    outputs, errors, input_errors = {}, {}, {}
    for name, module in modules.items():

        def keep_output(_module, _input, output, name=name):
            outputs[name] = output.detach().clone()

        def keep_errors(_module, of_input, of_output, name=name):
            errors[name], input_errors[name] = of_output[0].clone(), of_input[0].clone()

        module.register_forward_hook(keep_output)
        module.register_full_backward_hook(keep_errors)
    x = images.clone().requires_grad_()
    for module in modules.values():
        x = module(x)
    loss = loss_of(x, labels)
    loss.backward()

    names = list(modules)
    for before, after in zip(names, names[1:]):
        assert torch.equal(errors[before], input_errors[after]), f"{prefix}: {before} and {after} disagree"
    tensors = {f"{prefix}/loss": loss.detach().reshape(1)}
    for name, module in modules.items():
        tensors[f"{prefix}/{name}.output"] = outputs[name]
        tensors[f"{prefix}/{name}.error"] = errors[name]
        if isinstance(module, GivenDropout):
            tensors[f"{prefix}/{name}.mask"] = module.mask
        for parameter, value in module.named_parameters():
            tensors[f"{prefix}/{name}.{parameter}.gradient"] = value.grad
    return tensors


def run_recipe(name, out):
    _, mean, deviation, loss = RECIPES[name]
    initial = load_file(out / f"parity-{name}.safetensors")
    pixels, all_labels = read_mnist()
    n = IMAGES_OF_RECIPE
    images = (torch.from_numpy(pixels[:n].astype(np.float32)) / 255 - mean) / deviation
    modules, _ = build(RECIPE_LAYERS[name], (1, 28, 28), n)
    for layer, module in modules.items():
        for parameter, value in module.named_parameters():
            value.data = initial[f"initial.{layer}.{parameter}"]
    tensors = walk(name, modules, images, torch.from_numpy(all_labels[:n]), LOSSES[loss])
    return tensors, {"recipe": name, "trainingImages": list(range(n)), "seed": SEED}


def run_case(prefix, layers, extents, whole, loss):
    n = 3
    height, width = extents
    rng = np.random.default_rng(sum(prefix.encode()))
    if whole:
        coarse = rng.integers(0, 2, (n, math.ceil(height / 4), math.ceil(width / 4))).astype(np.uint8)
        pixels = np.kron(coarse, np.full((4, 4), 255, np.uint8))[:, :height, :width]
    else:
        pixels = rng.integers(0, 256, (n, height, width)).astype(np.uint8)
    modules, (classes,) = build(layers, (1, height, width), n)
    parameters = {}
    for layer, module in modules.items():
        for parameter, value in module.named_parameters():
            scale = 1 / math.sqrt(value[0].numel()) if parameter == "weight" else 0.1
            drawn = rng.integers(-1, 2, value.shape) if whole else rng.standard_normal(value.shape) * scale
            # Of the logits, sixteenths: whole ones make a softmax so sure that float32 knows no error of a second one.
            drawn = drawn / 16 if whole and layer == layers[-1]["name"] else drawn
            value.data = torch.from_numpy(drawn.astype(np.float32))
            parameters[f"{prefix}/{layer}.{parameter}"] = value.detach().clone()
    labels = rng.integers(0, classes, n)
    images = torch.from_numpy(pixels.astype(np.float32)[:, None]) / 255
    tensors = walk(prefix, modules, images, torch.from_numpy(labels), LOSSES[loss])
    described = {
        "name": prefix,
        "labels": labels.tolist(),
        "pixels": base64.b64encode(pixels.tobytes()).decode(),
        "seed": SEED,
        "network": {"input": [1, height, width], "layers": layers, "loss": loss},
    }
    return tensors | parameters, described


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=ROOT / "src-worker" / "engine" / "fixtures")
    out = parser.parse_args().out
    torch.set_num_threads(1)
    torch.use_deterministic_algorithms(True)
    tensors, recipes, cases = {}, [], []
    for name in RECIPES:
        of_recipe, described = run_recipe(name, out)
        tensors |= of_recipe
        recipes.append(described)
    for case in CASES:
        of_case, described = run_case(*case)
        tensors |= of_case
        cases.append(described)
    contiguous = {name: tensor.contiguous() for name, tensor in tensors.items()}
    (out / "layer-walk.safetensors.gz").write_bytes(gzip.compress(save(contiguous), mtime=0))
    write_json(out / "layer-walk.json", "pytorch_layer_walk.py", {"recipes": recipes, "cases": cases})


if __name__ == "__main__":
    main()
