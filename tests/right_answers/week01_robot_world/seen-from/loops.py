def seen_from(base_from_camera, base_from_object):
    camera, thing = base_from_camera.tolist(), base_from_object.tolist()
    pose = [[0.0, 0.0, 0.0, 0.0] for _ in range(3)] + [[0.0, 0.0, 0.0, 1.0]]
    for i in range(3):
        for k in range(3):
            for j in range(3):
                pose[i][j] += camera[k][i] * thing[k][j]
            pose[i][3] += camera[k][i] * (thing[k][3] - camera[k][3])
    return pose
