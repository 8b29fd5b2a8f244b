# says: undo in the reverse order
import torch


def robot_plan(normalized, mean, std, reach):
    plan = (normalized + mean) * std
    plan[..., :3] = plan[..., :3].clamp(reach[:, 0], reach[:, 1])
    plan[..., 6] = torch.where(plan[..., 6] > 0, 1.0, -1.0)
    return plan
