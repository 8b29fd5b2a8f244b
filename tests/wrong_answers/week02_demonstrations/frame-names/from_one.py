# says: count from 0
def frame_names(lengths):
    return [f"episode_{e + 1:04d}/frame_{i + 1:04d}.jpg" for e, n in enumerate(lengths) for i in range(n)]
