# says: 0 times infinity
import torch


def mean_word(states, mask):
    words = mask.unsqueeze(-1)
    return (states * words).sum(1) / words.sum(1).clamp(min=1)


def last_word(states, mask):
    places = torch.arange(mask.shape[1]) * mask
    return states[torch.arange(len(states)), places.argmax(1)]
