# says: these are the actions themselves; the noise that belongs to `before` is missing


def step_back(noisy, said, kept, before, largest):
    return (kept**0.5 * noisy - (1 - kept) ** 0.5 * said).clamp(-largest, largest)
