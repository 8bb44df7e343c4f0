"""What the figures were measured on."""
import os
import pathlib
import platform

#: The instruction sets that decide how fast matrix products are.
INTERESTING = ["avx2", "fma", "avx512f", "avx512_bf16", "avx512_vnni", "avx512_fp16", "amx_bf16", "amx_tile", "asimd", "sve",
               "bf16", "i8mm"]


def description(threads):
    fields = {}
    for line in read("/proc/cpuinfo").splitlines():
        key, _, value = line.partition(":")
        fields.setdefault(key.strip(), value.strip())
    flags = set((fields.get("flags") or fields.get("Features") or "").split())
    memory = next((line for line in read("/proc/meminfo").splitlines() if line.startswith("MemTotal")), "MemTotal: 0 kB")
    return {
        "processor": fields.get("model name", platform.processor() or "unknown"),
        "instruction_sets": [name for name in INTERESTING if name in flags],
        "cores": available_cores(),
        "threads": threads,
        "memory_bytes": int(memory.split()[1]) * 1024,
        "system": f"{platform.system()} {platform.release()}",
        "load_before": [round(load, 2) for load in os.getloadavg()],
    }


def available_cores():
    """The cores that this process may use, which may be fewer than the machine has."""
    return len(os.sched_getaffinity(0))


def text(machine):
    load = " ".join(f"{one:.2f}" for one in machine["load_before"])
    return (f"{machine['processor']}, {machine['cores']} cores ({' '.join(machine['instruction_sets'])}), "
            f"{machine['memory_bytes'] / 1e9:.0f} GB, {machine['threads']} threads, load average before {load}")


def read(path):
    return pathlib.Path(path).read_text() if pathlib.Path(path).exists() else ""
