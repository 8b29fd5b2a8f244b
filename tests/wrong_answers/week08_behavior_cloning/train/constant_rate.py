# says: so there is no warm-up
import torch


def train(policy, dataset, epochs, seed):
    torch.manual_seed(seed)
    optimizer = torch.optim.AdamW(policy.parameters(), lr=1e-2)
    policy.train()
    for _ in range(epochs):
        for chosen in torch.randperm(len(dataset)).split(16):
            loss, _ = policy(dataset.__getitems__(chosen.tolist()))
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
