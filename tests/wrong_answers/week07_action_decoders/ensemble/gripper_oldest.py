# says: the gripper comes from the newest plan, not from the oldest
import torch


def carry_out(plans, decay):
    actions = []
    for t in range(len(plans)):
        votes = torch.stack([plans[s, t - s] for s in range(max(0, t - plans.shape[1] + 1), t + 1)])
        weights = torch.exp(-decay * torch.arange(len(votes)))
        action = (weights.unsqueeze(-1) * votes).sum(0) / weights.sum()
        action[-1] = votes[0, -1]
        actions.append(action)
    return torch.stack(actions)
