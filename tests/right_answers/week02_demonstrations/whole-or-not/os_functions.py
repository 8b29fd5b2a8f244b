import os
import shutil


def write_whole(folder, files):
    parent, name = os.path.split(folder)
    if name in os.listdir(parent):
        raise FileExistsError(f"{folder} is there already")
    partial = os.path.join(parent, "." + name + ".partial")
    if os.path.isdir(partial):
        shutil.rmtree(partial)
    try:
        for file, content in files:
            os.makedirs(os.path.dirname(os.path.join(partial, file)), exist_ok=True)
            with open(os.path.join(partial, file), "wb") as stream:
                stream.write(content)
    except BaseException:
        shutil.rmtree(partial)
        raise
    os.replace(partial, folder)
