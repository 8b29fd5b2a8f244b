# says: the plans themselves have been changed
import torch


def carry_out(plans, decay):
    actions = []
    for t in range(len(plans)):
        votes = torch.stack([plans[s, t - s] for s in range(max(0, t - plans.shape[1] + 1), t + 1)])
        weights = torch.exp(-decay * torch.arange(len(votes)))
        action = plans[t, 0]  # its gripper is right already
        action[:-1] = ((weights.unsqueeze(-1) * votes).sum(0) / weights.sum())[:-1]
        actions.append(action)
    return torch.stack(actions)
