import torch


def robot_plan(normalized, mean, std, reach):
    columns = [(normalized[..., i].double() * std[i] + mean[i]) for i in range(7)]
    for i in range(3):
        columns[i] = torch.minimum(torch.maximum(columns[i], reach[i, 0]), reach[i, 1])
    columns[6] = 2.0 * (columns[6] > 0) - 1.0
    return torch.stack(columns, dim=-1)
