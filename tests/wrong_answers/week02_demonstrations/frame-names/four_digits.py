# says: four digits are not enough
def frame_names(lengths):
    return [f"episode_{e:04d}/frame_{i:04d}.jpg" for e, n in enumerate(lengths) for i in range(n)]
