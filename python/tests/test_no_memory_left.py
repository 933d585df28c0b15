"""Where there is no memory left, not even for the small objects of Swift, a call is a MemoryError.

Swift's run time ends the process where it is refused memory, so that the extension keeps some back
(python/src/reserve.c). Here nothing is left: a library that is loaded before all others refuses the
engine every request from the n-th on, or one takes all that a limit leaves (ulimit -v). Each
process is a new one, or a child that is forked before the engine has done anything: descriptions of
types are made where a type is first used.
"""

import os
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.once

REFUSING = """
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <link.h>
#include <stdatomic.h>
#include <string.h>
static struct { char *low, *high; int is_loader; } code[16];
static int codes;
static atomic_long count, refused;
/* The engine with Swift's run time, C++'s operator new, the loader (for threads' own variables). */
static int is_meant(const char *name) {
    return strstr(name, "/_cep.") || strstr(name, "libstdc++") || strstr(name, "/ld-linux");
}
static int add(struct dl_phdr_info *library, size_t size, void *data) {
    (void)size, (void)data;
    for (int i = 0; is_meant(library->dlpi_name) && i < library->dlpi_phnum && codes < 16; i++) {
        const ElfW(Phdr) *part = &library->dlpi_phdr[i];
        if (part->p_type == PT_LOAD && (part->p_flags & PF_X)) {
            code[codes].low = (char *)library->dlpi_addr + part->p_vaddr;
            code[codes].high = code[codes].low + part->p_memsz;
            code[codes].is_loader = strstr(library->dlpi_name, "/ld-linux") != NULL;
            codes++;
        }
    }
    return 0;
}
/* Refuses the n-th request and all that follow; none for 0. The loader gets what the request before
   it was granted, and has given back: the engine asks first whether there is as much. */
void refuse_from(long number) {
    if (codes == 0) dl_iterate_phdr(add, NULL);
    count = 0;
    refused = number;
}
static int refuses(void *caller) {
    for (int i = 0; refused && i < codes; i++)
        if ((char *)caller >= code[i].low && (char *)caller < code[i].high)
            return ++count >= refused + code[i].is_loader;
    return 0;
}
#define WRAPPED(type, name, parameters, arguments, failed)                \\
    type name parameters {                                                \\
        static type(*next) parameters;                                    \\
        if (!next) next = (type(*) parameters)dlsym(RTLD_NEXT, #name);    \\
        if (!refuses(__builtin_return_address(0))) return next arguments; \\
        errno = ENOMEM;                                                   \\
        return failed;                                                    \\
    }
WRAPPED(void *, malloc, (size_t size), (size), NULL)
WRAPPED(void *, calloc, (size_t number, size_t size), (number, size), NULL)
WRAPPED(void *, realloc, (void *old, size_t size), (old, size), NULL)
WRAPPED(void *, aligned_alloc, (size_t alignment, size_t size), (alignment, size), NULL)
WRAPPED(int, posix_memalign, (void **to, size_t alignment, size_t size), (to, alignment, size),
        ENOMEM)
"""

TAKING = """
#include <malloc.h>
#include <stdlib.h>
struct piece { struct piece *next; };
static _Thread_local struct piece *taken;
/* Takes all the memory that this thread can have. */
void take_all(void) {
    for (size_t size = 16 << 20; size >= 64; size /= 2)
        for (struct piece *piece; (piece = malloc(size)) != NULL; taken = piece)
            piece->next = taken;
}
/* Gives back so many bytes, or a little more. */
void give_back(long bytes) {
    while (taken != NULL && bytes > 0) {
        struct piece *piece = taken;
        taken = piece->next;
        bytes -= malloc_usable_size(piece);
        free(piece);
    }
}
void give_all_back(void) { give_back(1L << 60); }
"""

# Everything that is used here is imported before the first call of the engine.
CALLS = """
import ctypes, itertools, os, pickle, resource, sys, threading
import numpy as np
import numpy.ma, cep, cep.phase_records, cep.training, cep.evaluation, cep.gradients, cep.theorem
library = ctypes.CDLL(sys.argv[1])
x, y, targets = np.random.default_rng(0).random((40, 12)), np.arange(40) % 4, np.zeros((40, 4))

def use_numpy():
    # For NumPy's variables of a thread, too, the loader ends the process where it finds nothing.
    pickle.loads(pickle.dumps(np.ones(3) @ np.ones((3, 3))))
    np.linalg.norm(np.ones((3, 3)))

KINDS = list(itertools.product(
    ("prototypical", "real-time"), ("tied", "untied"), ("float32", "float64")))
RULES = [
    cep.EP(4, 3, 0.5, 0.01), cep.EP(4, 3, 0.5, 0.01, accumulate=True),
    cep.EP(4, 3, 0.5, 0.01, beta_sign="symmetric"), cep.CEP(4, 3, 0.5, 0.01),
    cep.CEP(4, 3, 0.5, 0.01, write_every_step=True), cep.BPTT(4, learning_rates=0.01),
    cep.RBP(20, tolerance=0.01, learning_rates=0.01),
]

def make(kind):
    setting, feedback, dtype = kind
    return cep.Network(
        [12, 10, 8, 4], setting=setting, feedback=feedback, dtype=dtype, seed=0)

def relaxed(net):
    net.free_phase(x, 4)
    return net

def recorded(net):
    with cep.record(net):
        cep.train_batch(net, x, y, RULES[3])

def refused(net):
    try:
        net.predict(x[:, 1:], 4)
    except ValueError:
        pass

CALLS = [
    *(lambda net, rule=rule: cep.train_batch(net, x, y, rule) for rule in RULES),
    *(lambda net, rule=rule: cep.gradient(net, x, y, rule) for rule in RULES),
    lambda net: cep.fit(net, (x, y), RULES[3], 1, batch_size=10, seed=0, progress=False),
    lambda net: relaxed(net).nudged_phase(targets, 0.5, 3),
    lambda net: (net.feedback_angles if net.options["feedback"] == "untied" else
                 relaxed(net).energy)(),
    lambda net: [np.asarray(state) for state in relaxed(net).states],
    lambda net: cep.evaluate(net, (x, y), 4),
    lambda net: net.predict(x, 4),
    lambda net: net.copy(),
    lambda net: [cep.instruction_set(), cep.set_num_threads(cep.get_num_threads())],
    lambda net: pickle.loads(pickle.dumps(net)),
    lambda net: cep.gdu_check(net, x, y, free_steps=20, nudged_steps=3, beta=0.01),
    recorded,
    refused,
]
"""

# Of the requests of each call, one in 601 is the first that is refused.
FORKED = (
    CALLS
    + """
use_numpy()
refuse = ctypes.CDLL(None).refuse_from
refuse.argtypes = [ctypes.c_long]
WHOLE, REFUSED = 0, 1

def in_child(kind, call, number):
    child = os.fork()
    if child:
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    ended = 100
    try:
        refuse(number)
        try:
            call(make(kind))
            ended = WHOLE
        except MemoryError:
            ended = REFUSED
        refuse(0)
        call(make(kind))  # As if nothing had been.
    except BaseException as error:
        print(repr(error), file=sys.stderr)
        ended = 101
    os._exit(ended)

met = [in_child(KINDS[0], CALLS[0], number) for number in range(1, 2000, 601)]
try:
    cep._cep.Network()  # Refused, once it has filled the reserve: 2040 requests.
except TypeError:
    pass
for place, (kind, call) in enumerate(itertools.product(KINDS, CALLS)):
    number, ended = 1 + place * 7 % 601, REFUSED
    while ended == REFUSED and number < 20_000:
        ended = in_child(kind, call, number)
        met.append(ended)
        number += 601
print(sorted(set(met)), met.count(REFUSED) > 200)
"""
)

LIMITED = (
    CALLS
    + """
library.give_back.argtypes = [ctypes.c_long]
library.take_all.restype = library.give_back.restype = library.give_all_back.restype = None
GIVEN = (0, 3_000, 20_000, 60_000, 150_000, 400_000, 1_000_000)
ready = threading.Barrier(4)
ended = []

def use(thread):
    use_numpy()
    random = np.random.default_rng(thread)
    order, given = random.permutation(len(KINDS) * len(CALLS))[:60], random.choice(GIVEN, 60)
    ready.wait()
    ready.wait()
    for place, bytes_given in zip(order.tolist(), given.tolist()):
        try:
            library.take_all()
            library.give_back(bytes_given)
            CALLS[place % len(CALLS)](make(KINDS[place // len(CALLS)]))
        except Exception:
            pass  # MemoryError; where Python itself finds nothing, others too.
        finally:
            library.give_all_back()
    ended.append(thread)

threads = [threading.Thread(target=use, args=(thread,)) for thread in range(3)]
for thread in threads:
    thread.start()
ready.wait()
with open("/proc/self/statm") as file:
    taken = int(file.read().split()[0]) * resource.getpagesize()
before = resource.getrlimit(resource.RLIMIT_AS)
resource.setrlimit(resource.RLIMIT_AS, (taken + (int(sys.argv[2]) << 20), before[1]))
ready.wait()
for thread in threads:
    thread.join()
resource.setrlimit(resource.RLIMIT_AS, before)
for kind, call in itertools.product(KINDS, CALLS):
    call(make(kind))
print("all is well")
"""
)

# What Swift itself takes for these grows with layers, with objects that are held, and with rates.
GROWN = (
    CALLS
    + """
library.give_back.argtypes = [ctypes.c_long]
library.take_all.restype = library.give_back.restype = library.give_all_back.restype = None
x, y = np.zeros((2, 3)), np.zeros((2, 3))
whole, small = cep.Network([3] * 500, seed=0), cep.Network([3] * 3, seed=0)
held, refusals = [], 0
before = resource.getrlimit(resource.RLIMIT_AS)
with open("/proc/self/statm") as file:
    taken = int(file.read().split()[0]) * resource.getpagesize()
resource.setrlimit(resource.RLIMIT_AS, (taken + (20 << 20), before[1]))
calls = [
    lambda: cep.Network([3] * 500, seed=0),
    whole.copy,
    lambda: cep.train_batch(whole, x, y, RULES[3]),
    lambda: cep.train_batch(whole, x, y, cep.EP(4, 3, 0.5, [0.1] * 100_000)),
    lambda: [held.append(small._engine.array(0, 0)) for _ in range(20_000)],
]
for bytes_given in (0, 50_000, 200_000, 500_000, 1_000_000, 2_000_000, 3_000_000, 5_000_000):
    for call in calls:
        try:
            library.take_all()
            library.give_back(bytes_given)
            call()
        except ValueError:
            pass  # There are other than 100,000 connections.
        except MemoryError:
            refusals += 1
        finally:
            library.give_all_back()
resource.setrlimit(resource.RLIMIT_AS, before)
for call in calls[:3]:
    call()
print(refusals > 8, len(held) > 2_000)
"""
)


def build(source: str, tmp_path: Path) -> Path:
    (tmp_path / "library.c").write_text(source)
    library = tmp_path / "library.so"
    subprocess.run(
        ["gcc", "-shared", "-fPIC", "-O1", tmp_path / "library.c", "-o", library, "-ldl"],
        check=True,
    )
    return library


def run(program: str, library: Path, *arguments: str, **environment: str) -> str:
    """What the program prints. It has to end by itself, and well."""
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", program, str(library), *arguments],
        env=os.environ
        | {"PYTHONPATH": os.pathsep.join(sys.path), "OPENBLAS_NUM_THREADS": "1"}
        | environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, f"{done.returncode}\n{done.stdout[-300:]}{done.stderr[-2000:]}"
    return done.stdout


def test_every_request_from_one_on_may_be_refused(tmp_path: Path) -> None:
    library = build(REFUSING, tmp_path)
    assert run(FORKED, library, LD_PRELOAD=str(library)) == "[0, 1] True\n"


@pytest.mark.parametrize("megabytes", [1, 5, 20, 38, 60])
def test_threads_that_reach_a_limit_together(megabytes: int, tmp_path: Path) -> None:
    assert run(LIMITED, build(TAKING, tmp_path), str(megabytes)) == "all is well\n"


def test_what_grows_with_layers_objects_and_rates(tmp_path: Path) -> None:
    assert run(GROWN, build(TAKING, tmp_path)) == "True True\n"
