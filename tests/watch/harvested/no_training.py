import torch
import torch.nn as nn

m = nn.Sequential(nn.Linear(6, 3), nn.ReLU())
print(m(torch.zeros(2, 6)).shape)
