import math


def step_back(noisy, said, kept, before, largest):
    now, then = math.acos(kept**0.5), math.acos(min(1.0, before**0.5))  # the shares are a cosine and a sine, squared
    clean = (math.cos(now) * noisy.double() - math.sin(now) * said.double()).clamp(-largest, largest)
    ratio = math.sin(then) / math.sin(now)
    return ratio * noisy + (math.cos(then) - ratio * math.cos(now)) * clean
