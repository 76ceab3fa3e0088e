#!/usr/bin/env python3
"""Train a small classifier."""
import argparse

import torch
from torch import nn, optim


def parse():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--epochs", type=int, default=40)
    parser.add_argument("--learning-rate", "-lr", type=float, default=1e-6, help="step size")
    parser.add_argument("--wd", type=float, default=0.0)
    return parser.parse_args([])


def train(args, net, data):
    opt = optim.Adam(net.parameters(), lr=args.learning_rate, weight_decay=args.wd)
    for epoch in range(args.epochs):
        for features, labels in data:
            opt.zero_grad()
            loss = nn.functional.cross_entropy(net(features), labels)
            loss.backward()
            opt.step()


def main():
    args = parse()
    torch.manual_seed(1)
    features = torch.randn(256, 10)
    labels = (features[:, 0] + features[:, 1] > 0).long()
    data = list(zip(features.split(32), labels.split(32)))
    net = nn.Sequential(nn.Linear(10, 32), nn.ReLU(), nn.Linear(32, 2))
    train(args, net, data)


if __name__ == "__main__":
    main()
