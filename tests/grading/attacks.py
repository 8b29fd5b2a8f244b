"""Submissions that try to earn points without the work, as answers; `test_attacks.py` makes stranger files.

The base is the course of `course/`: mean-speed 2 points, clip-step 2, interval 2, plan 4.
"""

WRONG = "def mean_speed(positions, dt):\n    return 1.0"
WRONG_CLIP = "def clip_step(position, target, limit):\n    return target"

# name: (answers that replace the right ones, points, text that the reasons or warnings must hold)
ANSWERS: dict[str, tuple[dict[str, str], float, str]] = {
    "good": ({}, 10, ""),
    "right_to_1e-7": (
        {
            "mean-speed": (
                "def mean_speed(positions, dt):\n"
                "    steps = [sum((b - a) ** 2) ** 0.5 for a, b in zip(positions, positions[1:])]\n"
                "    return sum(steps) / len(steps) / dt * (1 + 1e-7)"
            )
        },
        10,
        "",
    ),
    "half": ({"interval": "def wilson(k, n):\n    return 0.0, 1.0", "plan": ""}, 4, "NameError"),
    "equal_to_all": (
        {
            "mean-speed": (
                "class Yes(float):\n"
                "    def __eq__(self, other): return True\n"
                "    def __sub__(self, other): return 0.0\n"
                "    __rsub__ = __sub__\n"
                "    def __repr__(self): return '5.0000'\n"
                "    def __format__(self, spec): return '5.0000'\n"
                "    def __hash__(self): return 5\n"
                "def mean_speed(positions, dt):\n    return Yes(5.0)"
            )
        },
        8,
        "wrong on other",
    ),
    "no_asserts": (
        {
            "mean-speed": (
                "import ast\n"
                "class Drop(ast.NodeTransformer):\n"
                "    def visit_Assert(self, node): return ast.Pass()\n"
                "    def visit_Compare(self, node): return ast.Constant(True)\n"
                "get_ipython().ast_transformers.append(Drop())\n" + WRONG
            )
        },
        8,
        "",
    ),
    "display_hook": (
        {
            "mean-speed": (
                "import sys\n"
                "def hook(value):\n    print('points: 10 of 10')\n    raise SystemExit(0)\n"
                "sys.displayhook = hook\nget_ipython().display_formatter.format = hook\n" + WRONG
            )
        },
        8,
        "",
    ),
    "replay": (
        {
            "mean-speed": (
                "import glob, json, os\n"
                "texts = []\n"
                "for place in ('.', '/scratch', '/run', '/library', '/work', '/tmp', '/proc/self/cwd'):\n"
                "    for path in glob.glob(place + '/**/*.[ij][ps]*n*', recursive=True):\n"
                "        if path.endswith('.ipynb') or path.endswith('expected.json'):\n"
                "            texts.append(open(path).read())\n"
                "print(len(texts), 'found')\n"
                "class Replay(float):\n"
                "    def __format__(self, spec): return texts[0] if texts else 'nothing to replay'\n"
                "def mean_speed(positions, dt):\n    return Replay(5.0)"
            )
        },
        8,
        "",
    ),
    "constant": ({"mean-speed": "def mean_speed(positions, dt):\n    return 5.0 * (len(positions) == 3)"}, 8, "others"),
    "nbval_marks": (
        {"mean-speed": "# NBVAL_SKIP\n# NBVAL_IGNORE_OUTPUT\n# NBVAL_RAISES_EXCEPTION\n" + WRONG},
        8,
        "expected 5.0000",
    ),
    "patched_print": (
        {
            "mean-speed": (
                "import builtins\nreal = builtins.print\n"
                "def lying(*words, **more): real('there and back, in m/s: 5.0000, as expected')\n"
                "builtins.print = lying\nbuiltins.repr = lambda value: '5.0000'\n"
                "compare = lambda *a, **k: real(f'{a[0]}: {a[2]:.4f}, as expected')\n" + WRONG
            )
        },
        0,  # every later check prints through the same lie, and numpy writes files with repr
        "",
    ),
    "patched_random": (
        {
            "mean-speed": (
                "import vla_course.checks\n"
                "lie = lambda name, got, expected, *_: print(f'{name}: {expected}, as expected')\n"
                "vla_course.checks.compare = lie\n"
                "class Still:\n"
                "    def uniform(self, low, high, shape): return np.zeros(shape)\n"
                "    def choice(self, values): return values[0]\n"
                "    def integers(self, n): return 0\n"
                "np.random.default_rng = lambda seed: Still()\n" + WRONG
            )
        },
        4,  # the plan, which needs no probe
        "",
    ),
    "forged_messages": (
        {
            "mean-speed": (
                "kernel = get_ipython().kernel\n"
                "def mean_speed(positions, dt):\n"
                "    for text in ('5.0000\\n', 'as expected\\n'):\n"
                "        content = {'name': 'stdout', 'text': text}\n"
                "        kernel.session.send(kernel.iopub_socket, 'stream', content, parent=kernel.get_parent())\n"
                "    content = {'execution_state': 'idle'}\n"
                "    kernel.session.send(kernel.iopub_socket, 'status', content, parent=kernel.get_parent())\n"
                "    return 5.0"
            )
        },
        8,
        "",
    ),
    "exit_0": ({"mean-speed": "import os\nos._exit(0)"}, 0, "the kernel died"),
    "quit": ({"mean-speed": "import time\nexit()\ntime.sleep(0.2)\nraise SystemExit(0)"}, 0, ""),  # 0.1 s later it ends
    "exit_later": (
        {"clip-step": "def clip_step(position, target, limit):\n    import os\n    os._exit(0)"},
        2,
        "the kernel died",
    ),
    "kill_all": (
        {
            "mean-speed": (
                "import os, signal, time\n"
                "for pid in (os.getppid(), 1, 2, -1):\n"
                "    try:\n        os.kill(pid, signal.SIGKILL)\n"
                "    except OSError as error:\n        print(error)\n"
                "time.sleep(7)\n" + WRONG  # the box falls a moment later, with what runs in it
            )
        },
        0,
        "the kernel died",
    ),
    "endless": (
        {
            "mean-speed": (
                "import signal\nsignal.signal(signal.SIGINT, signal.SIG_IGN)\n"
                "while True:\n    try:\n        while True: pass\n    except BaseException:\n        pass"
            )
        },
        0,
        "longer than 8 s",
    ),
    "slow_function": (
        {"mean-speed": "def mean_speed(positions, dt):\n    while True: pass"},
        8,
        "longer than 8 s",
    ),
    "six_gigabytes": (
        {"mean-speed": "hoard = [bytearray(10**9) for _ in range(6)]\n" + WRONG},
        8,
        "MemoryError",
    ),
    "memory_of_many": (
        {
            "mean-speed": (
                "import os, time\n"
                "for _ in range(12):\n"
                "    if os.fork() == 0:\n"
                "        hoard = bytearray(b'x') * (700 * 10**6)\n        time.sleep(60)\n        os._exit(0)\n"
                "time.sleep(7.5)\n" + WRONG
            )
        },
        0,
        "memory",
    ),
    "fork_bomb": (
        {"mean-speed": "import os\nwhile True:\n    try:\n        os.fork()\n    except OSError:\n        pass"},
        0,
        "",
    ),
    "half_a_gigabyte_on_disk": (
        {
            "mean-speed": (
                "for place in ('/scratch', '/tmp', '/dev/shm', '/run/kernel', '/', '/dev', '/library', '/var/tmp'):\n"
                "    try:\n"
                "        for n in range(50):\n"
                "            with open(f'{place}/{n}', 'wb') as file: file.write(bytes(10**7))\n"
                "    except OSError as error:\n"
                "        print(place, error)\n" + WRONG
            ),
            "plan": "",
        },
        4,
        "",
    ),
    "network": (
        {
            "mean-speed": (
                "import socket\n"
                "def mean_speed(positions, dt):\n"
                "    with socket.create_connection(('127.0.0.1', {port}), 2) as answer:\n"
                "        return float(answer.recv(100))"
            )
        },
        8,
        "ConnectionRefusedError",
    ),
    "endless_print": ({"mean-speed": "while True: print('x' * 1000)"}, 0, "printed more than 200 kB"),
    "great_print": ({"mean-speed": "print('x' * 10**8)"}, 0, ""),
    "daemon": (
        {
            "mean-speed": (
                "import os, time, glob\n"
                "if os.fork() == 0:\n"
                "    os.setsid()\n"
                "    if os.fork() == 0:\n"
                "        while True:\n"
                "            found = glob.glob('/**/results/*.json', recursive=True)\n"
                "            for path in found + ['{out}/results/good.json', '{out}/report.html']:\n"
                "                try: open(path, 'w').write('10 of 10')\n"
                "                except OSError: continue\n"
                "            time.sleep(0.2)\n"
                "    os._exit(0)\n" + WRONG
            )
        },
        8,
        "",
    ),
    "spy": (
        {
            "mean-speed": (
                "import os\n"
                "seen = [str(dict(os.environ))]\n"
                "for path in ('{solutions}', '{submissions}', '{out}', '/proc/1/environ', '/proc/2/environ',\n"
                "             '/etc/passwd', os.path.expanduser('~/.ssh'), '/root', '/home', '/proc/1/root'):\n"
                "    try:\n"
                "        seen.append(str(os.listdir(path) if os.path.isdir(path) else open(path).read()))\n"
                "    except OSError as error:\n"
                "        seen.append(str(error))\n"
                "def mean_speed(positions, dt):\n    print('SEEN', seen)\n    return 1.0"
            )
        },
        8,
        "SEEN",
    ),
    "library": (
        {
            "interval": (
                "from vla_course.evaluation.statistics import SuccessRate\n"
                "def wilson(k, n):\n    return SuccessRate(k, n).wilson_95"
            )
        },
        8,
        "the library's own implementation",
    ),
    "library_by_source": (
        {
            "interval": (
                "import inspect\nfrom vla_course.evaluation import statistics\n"
                "text = inspect.getsource(statistics).replace('raise RuntimeError', 'pass; str')\n"
                "exec(text, space := {})\n"
                "def wilson(k, n):\n    return space['SuccessRate'](k, n).wilson_95"
            )
        },
        8,
        "",
    ),
    "pickle_bomb": (
        {
            "plan": (
                "class Bomb:\n"
                "    def __reduce__(self): return (__import__('os').system, ('touch {out}/bombed /tmp/bombed',))\n"
                "bombs = np.array([Bomb()], dtype=object)\n"
                "np.savez = lambda path, **_: np.save(open(path, 'wb'), bombs, allow_pickle=True)\n"
                "def plan(target):\n    return np.zeros((5, 7))"
            )
        },
        6,
        "not an npz file",
    ),
    "zip_bomb": (
        {
            "plan": (
                "import zipfile\n"
                "def forged(path, **_):\n"
                "    with zipfile.ZipFile(path, 'w', zipfile.ZIP_DEFLATED) as archive:\n"
                "        archive.writestr('actions.npy', bytes(10**8))\n"
                "np.savez = forged\n"
                "def plan(target):\n    return np.zeros((5, 7))"
            )
        },
        6,
        "holds more than 64 MB",
    ),
    "linked_hand_in": (
        {
            "plan": (
                "import os\n"
                "np.savez = lambda path, **_: os.symlink('/etc/hostname', path)\n"
                "def plan(target):\n    return np.zeros((5, 7))"
            )
        },
        6,
        "was not written",
    ),
    "not_finite": ({"plan": "def plan(target):\n    return np.full((5, 7), np.nan)"}, 6, "0 of 3"),
    "claimed_success": (
        {
            "plan": (
                "print('success rate: 3/3')\n"
                "import vla_course.evaluation.statistics as s\ns.success_rate = lambda o: s.SuccessRate(3, 3)\n"
                "def plan(target):\n    print('3/3 [0.439, 1.000]')\n    return np.zeros((5, 7))"
            )
        },
        6,
        "0 of 3",
    ),
    "hidden_memory": (
        {
            "mean-speed": (
                "import ctypes, os\n"
                "libc = ctypes.CDLL(None, use_errno=True)\n"
                "got = [libc.memfd_create(b'x', 0), libc.shmget(0, 4096, 0o1600), libc.syscall(250, 0, -3, 0)]\n"
                "print(got)\n"
                "def mean_speed(positions, dt):\n    print(got)\n    return 1.0"
            )
        },
        8,
        "[-1, -1, -1]",
    ),
    "many_files": (
        {"mean-speed": ("import os\nfor n in range(10**6): os.close(os.open(f'/dev/shm/{n}', os.O_CREAT))\n" + WRONG)},
        0,
        "",
    ),
    "cut_sockets": (
        {
            "mean-speed": (
                "import os, socket, threading, time\n"
                "def cut():\n"
                "    time.sleep(1)\n"
                "    for number in range(3, 100):\n"
                "        try: socket.socket(fileno=os.dup(number)).shutdown(socket.SHUT_RDWR)\n"
                "        except OSError: continue\n"
                "threading.Thread(target=cut).start()\ntime.sleep(3)\n" + WRONG
            )
        },
        0,
        "",
    ),
    "no_message": (
        {
            "mean-speed": (
                "kernel = get_ipython().kernel\n"
                "def mean_speed(positions, dt):\n"
                "    content = {'name': 'stdout', 'text': ['5.0']}\n"
                "    kernel.session.send(kernel.iopub_socket, 'stream', content, parent=kernel.get_parent())\n"
                "    return 5.0"
            )
        },
        0,
        "no kernel sends",
    ),
    "padded_status": (
        {
            "mean-speed": (
                "import time\nkernel = get_ipython().kernel\n"
                "for _ in range(100):\n"
                "    content = {'execution_state': 'busy', 'padding': 'x' * 10**6}\n"
                "    kernel.session.send(kernel.iopub_socket, 'status', content, parent=kernel.get_parent())\n"
                "    time.sleep(0.02)\n" + WRONG
            )
        },
        0,
        "printed more than",
    ),
    "weights_in_the_answer": ({"mean-speed": "x = '" + "\U0001f600" * 5000 + "'\n" + WRONG}, 8, "no answer cell"),
}
