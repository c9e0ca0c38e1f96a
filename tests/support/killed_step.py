"""A process of its own that kills itself (SIGKILL) at one of its steps: before it, or after it. Nothing in the product
knows of this; the steps are named by the test, as `module:name` or `module:Class.name`.
"""

import multiprocessing
import os
import pkgutil
import signal

# Each child is forked from a process that has done nothing but import: hundreds of them need not import it all again.
CONTEXT = multiprocessing.get_context("forkserver")
CONTEXT.set_forkserver_preload(["swaddle.registry.pipeline", "swaddle.registry.run"])


def watch_steps(names, kill_at, steps):
    """In the child: count the named steps, and die at number `kill_at` (even: before it, odd: after it; -1: never)."""
    passed = 0

    def watched(real):
        def step(*args, **kwargs):
            nonlocal passed
            if 2 * passed == kill_at:
                os.kill(os.getpid(), signal.SIGKILL)
            result = real(*args, **kwargs)
            if 2 * passed + 1 == kill_at:
                os.kill(os.getpid(), signal.SIGKILL)
            passed += 1
            steps.value = passed
            return result

        return step

    for name in names:
        module, _, path = name.partition(":")
        *owner, last = path.split(".")
        where = pkgutil.resolve_name(f"{module}:{'.'.join(owner)}" if owner else module)
        setattr(where, last, watched(getattr(where, last)))


def killed_in(child, *arguments, kill_at):
    """Run `child(*arguments, kill_at, steps)`: whether it died there, and how many steps it had passed."""
    steps = CONTEXT.Value("i", 0)
    process = CONTEXT.Process(target=child, args=(*arguments, kill_at, steps))
    process.start()
    process.join(120)
    assert process.exitcode in {0, -signal.SIGKILL}, process.exitcode
    return process.exitcode == -signal.SIGKILL, steps.value


def pull(home, names, kill_at, steps):
    """A child that looks at the gateway once, as `swaddle registry pull`."""
    from swaddle.registry.operations import ask
    from whole_world import passphrase

    watch_steps(names, kill_at, steps)
    ask(home, passphrase, "pull")
