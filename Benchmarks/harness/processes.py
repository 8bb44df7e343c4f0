"""Starting processes and reading what they print."""
import json
import os
import subprocess
import tempfile
import time

from .pairs import Measurement


class Failure(Exception):
    """A process that did not do what it was started for; the text says which and why."""


def environment():
    """Nothing may fetch from a network while it is measured."""
    return os.environ | {"HF_HUB_OFFLINE": "1", "TOKENIZERS_PARALLELISM": "false"}


def finished(command, while_running=None):
    """Runs a command to its end: its standard output, its largest resident size in bytes, and when it started."""
    words = [str(word) for word in command]
    with tempfile.TemporaryFile() as output, tempfile.TemporaryFile() as complaints:
        start = time.monotonic()
        process = subprocess.Popen(words, stdout=output, stderr=complaints, env=environment())
        try:
            if while_running:
                while_running(lambda: is_running(process.pid))
            _, status, usage = os.wait4(process.pid, 0)
        except BaseException:
            process.kill()
            process.wait()
            raise
        process.returncode = os.waitstatus_to_exitcode(status)
        output.seek(0)
        complaints.seek(0)
        if process.returncode != 0:
            reason = complaints.read().decode(errors="replace").strip().splitlines()[-5:]
            raise Failure(f"{' '.join(words)}\nended with status {process.returncode}: " + "\n".join(reason))
        return output.read().decode(), usage.ru_maxrss * 1024, start


def is_running(identifier):
    """Whether a child goes on; one that ended is left for its account to be read."""
    return os.waitid(os.P_PID, identifier, os.WEXITED | os.WNOHANG | os.WNOWAIT) is None


def last_json_line(text, command):
    for line in reversed(text.splitlines()):
        if line.startswith("{"):
            return json.loads(line)
    raise Failure(f"{' '.join(map(str, command))}\nprinted no JSON object")


def script(command):
    """A peer's script, which prints its figures as its last line."""
    def measure():
        text, peak, _ = finished(command)
        found = last_json_line(text, command)
        return Measurement(found["value"], peak, found.get("check"), found.get("versions", {}))
    return measure


def seconds_of(command):
    """The time of a whole process."""
    def measure():
        _, peak, start = finished(command)
        return Measurement(time.monotonic() - start, peak)
    return measure


def first_step_of(command):
    """The time from the start of a peer's process to the end of its first optimizer step."""
    def measure():
        text, peak, start = finished(command)
        return Measurement(last_json_line(text, command)["first_step_ended"] - start, peak)
    return measure


def peak_of(measure):
    """The largest resident size that a measurement comes with, in GB, as its value."""
    def measured():
        found = measure()
        return Measurement(found.peak_bytes / 1e9, found.peak_bytes, found.check, found.versions)
    return measured
