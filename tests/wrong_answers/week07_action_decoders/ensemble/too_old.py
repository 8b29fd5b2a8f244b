# says: a plan that is used up keeps voting with its last row
import torch


def carry_out(plans, decay):
    actions = []
    for t in range(len(plans)):
        votes = torch.stack([plans[s, min(t - s, plans.shape[1] - 1)] for s in range(t + 1)])
        weights = torch.exp(-decay * torch.arange(len(votes)))
        action = (weights.unsqueeze(-1) * votes).sum(0) / weights.sum()
        action[-1] = plans[t, 0, -1]
        actions.append(action)
    return torch.stack(actions)
