# says: your function writes into the tensor
import torch


def robot_plan(normalized, mean, std, reach):
    plan = normalized.mul_(std).add_(mean)
    plan[..., :3] = plan[..., :3].clamp(reach[:, 0], reach[:, 1])
    plan[..., 6] = torch.where(plan[..., 6] > 0, 1.0, -1.0)
    return plan
