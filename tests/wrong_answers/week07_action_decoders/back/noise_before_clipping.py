# says: find the noise after clipping: it lies between the clipped actions and what is noisy


def step_back(noisy, said, kept, before, largest):
    clean = kept**0.5 * noisy - (1 - kept) ** 0.5 * said
    noise = (noisy - kept**0.5 * clean) / (1 - kept) ** 0.5
    return before**0.5 * clean.clamp(-largest, largest) + (1 - before) ** 0.5 * noise
