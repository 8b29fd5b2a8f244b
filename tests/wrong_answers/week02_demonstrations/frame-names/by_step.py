# says: the second episode overwrites
def frame_names(lengths):
    return [f"frame_{i:04d}.jpg" for n in lengths for i in range(n)]
