# says: begin anew with frame 0
def frame_names(lengths):
    names, number = [], 0
    for e, n in enumerate(lengths):
        for _ in range(n):
            names.append(f"episode_{e:04d}/frame_{number:04d}.jpg")
            number += 1
    return names
