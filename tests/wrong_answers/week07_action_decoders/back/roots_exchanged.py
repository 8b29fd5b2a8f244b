# says: the root of `kept` goes with what is noisy, the other one with the velocity


def step_back(noisy, said, kept, before, largest):
    clean = ((1 - kept) ** 0.5 * noisy - kept**0.5 * said).clamp(-largest, largest)
    noise = (noisy - kept**0.5 * clean) / (1 - kept) ** 0.5
    return before**0.5 * clean + (1 - before) ** 0.5 * noise
