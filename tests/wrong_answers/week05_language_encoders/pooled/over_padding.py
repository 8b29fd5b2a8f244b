# says: the mean goes over the padding, too
import torch


def mean_word(states, mask):
    return states.mean(1)


def last_word(states, mask):
    places = torch.arange(mask.shape[1]) * mask
    return states[torch.arange(len(states)), places.argmax(1)]
