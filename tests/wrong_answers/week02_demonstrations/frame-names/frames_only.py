# says: episodes need as many digits
def frame_names(lengths):
    digits = max(4, len(str(max(lengths) - 1)))
    return [f"episode_{e:04d}/frame_{i:0{digits}d}.jpg" for e, n in enumerate(lengths) for i in range(n)]
