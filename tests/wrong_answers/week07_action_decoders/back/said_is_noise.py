# says: the network said the velocity, not the noise


def step_back(noisy, said, kept, before, largest):
    clean = ((noisy - (1 - kept) ** 0.5 * said) / kept**0.5).clamp(-largest, largest)
    noise = (noisy - kept**0.5 * clean) / (1 - kept) ** 0.5
    return before**0.5 * clean + (1 - before) ** 0.5 * noise
