"""Imported first by a program: ends it when the script that has started it goes (processes.mjs names that in GRADSCOPE_PARENT)."""

import os
import threading
import time

LOOK_EVERY_S = 0.5


def is_there(pid):
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def end_after(parent):
    # Where a wrapper stands between the two, that one is the parent.
    first = os.getppid()
    while os.getppid() == first and is_there(parent):
        time.sleep(LOOK_EVERY_S)
    os._exit(143)


_PARENT = int(os.environ.pop("GRADSCOPE_PARENT", "0"))
# Windows ends the children of Node's programs with them.
if _PARENT > 0 and os.name == "posix":
    threading.Thread(target=end_after, args=(_PARENT,), daemon=True).start()
