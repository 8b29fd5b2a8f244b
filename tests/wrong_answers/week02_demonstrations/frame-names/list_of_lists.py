# says: one flat list
def frame_names(lengths):
    return [[f"episode_{e:04d}/frame_{i:04d}.jpg" for i in range(n)] for e, n in enumerate(lengths)]
