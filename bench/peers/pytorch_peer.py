"""PyTorch as a peer of the benchmark: `python pytorch_peer.py THREADS`; modes `default` and `channels_last`."""

import sys

import torch
from peer import examples, loader, serve
from torch import nn

torch.set_num_threads(int(sys.argv[1]))


def layer_of(layer, shape):
    """The module of a layer and the shape of its output, from the shape of its input (both of one example)."""
    kind = layer["kind"]
    if kind == "conv2d":
        module = nn.Conv2d(
            shape[0], layer["filters"], layer["kernelSize"], stride=layer["stride"], padding=layer["padding"]
        )
    elif kind in ("maxPool2d", "averagePool2d"):
        of = nn.MaxPool2d if kind == "maxPool2d" else nn.AvgPool2d
        module = of(layer["size"], stride=layer["stride"], padding=layer["padding"])
    elif kind == "dropout":
        module = (nn.Dropout2d if layer["unit"] == "channel" else nn.Dropout)(layer["rate"])
    elif kind == "dense":
        module = nn.Linear(shape[0], layer["units"])
    else:
        module = {
            "relu": nn.ReLU,
            "leakyRelu": lambda: nn.LeakyReLU(layer["slope"]),
            "sigmoid": nn.Sigmoid,
            "tanh": nn.Tanh,
            "flatten": nn.Flatten,
        }[kind]()
    with torch.no_grad():
        return module, tuple(module.eval()(torch.zeros(1, *shape)).shape[1:])


def optimiser_of(model, spec):
    if spec["kind"] == "adam":
        betas = (spec["beta1"], spec["beta2"])
        return torch.optim.Adam(
            model.parameters(), spec["learningRate"], betas, spec["epsilon"], spec["weightDecay"]
        )
    return torch.optim.SGD(
        model.parameters(), spec["learningRate"], spec["momentum"], 0, spec["weightDecay"], spec["nesterov"]
    )


load = loader(lambda recipe: tuple(torch.from_numpy(array) for array in examples(recipe)))


def prepare(mode, batch_size, recipe):
    torch.manual_seed(1)
    shape, modules = tuple(recipe["network"]["input"]), []
    for layer in recipe["network"]["layers"]:
        module, shape = layer_of(layer, shape)
        modules.append(module)
    model = nn.Sequential(*modules).train()
    images, labels = load(recipe)
    if mode == "channels_last":
        model = model.to(memory_format=torch.channels_last)
        images = images.contiguous(memory_format=torch.channels_last)
    loss_of = nn.CrossEntropyLoss()
    optimiser = optimiser_of(model, recipe["optimiser"])
    order = iter(())

    def train():
        nonlocal order
        indices = next(order, None)
        if indices is None:
            order = iter(torch.randperm(len(images)).split(batch_size))
            indices = next(order)
        optimiser.zero_grad()
        loss = loss_of(model(images[indices]), labels[indices])
        loss.backward()
        optimiser.step()
        return len(indices), loss.item

    return train


serve({"torch": torch.__version__}, prepare)
