def frame_names(lengths):
    def width(largest):
        digits = 4
        while 10**digits <= largest:
            digits += 1
        return digits

    wide, digits = width(len(lengths) - 1), width(max(lengths) - 1)
    names = []
    for episode in range(len(lengths)):
        for frame in range(lengths[episode]):
            names.append("episode_" + str(episode).zfill(wide) + "/frame_" + str(frame).zfill(digits) + ".jpg")
    return names
