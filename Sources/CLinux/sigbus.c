#define _GNU_SOURCE
#include "sigbus.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

/* ThreadSanitizer holds a lock of its own while it does the access that faults, and would wait for it for ever: the
 * handler does nothing that it sees, neither accesses nor calls of the library. */
#if __has_attribute(disable_sanitizer_instrumentation)
#define UNSEEN __attribute__((disable_sanitizer_instrumentation))
#else
#define UNSEEN
#endif

enum { BLOCKS = CLINUX_SIGBUS_RANGES / CLINUX_SIGBUS_BLOCK };

struct range {
  _Atomic(uint32_t) version; /* odd while the others change: values of two ranges must never be taken for one */
  _Atomic(int) eventfd;
  _Atomic(uintptr_t) base; /* 0: free */
  _Atomic(uintptr_t) end;
  _Atomic(bool) faulted;
  int next; /* where it is free: the next free one, or -1 */
};

/* What the ranges of a block lie between, or more. It narrows only when the block is empty. */
struct block {
  _Atomic(uintptr_t) low;
  _Atomic(uintptr_t) high;
  int count;
};

static struct range ranges[CLINUX_SIGBUS_RANGES];
static struct block blocks[BLOCKS];
static _Atomic(int) used; /* one past the highest slot ever used */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static int first_free = -1;

/* Puts zero pages over [base, end), or over as much of it around the address as the kernel has memory for. */
UNSEEN static bool cover(uintptr_t base, uintptr_t end, uintptr_t address) {
  /* Where memory is limited (strict overcommit, locked memory) a whole guest may be too much. The windows hold
   * whole huge pages, as a mapping of those cannot be split elsewhere. */
  static const uintptr_t windows[] = {0, (uintptr_t)1 << 30, (uintptr_t)1 << 21, (uintptr_t)1 << 12};
  for (unsigned i = 0; i < sizeof windows / sizeof *windows; i++) {
    uintptr_t from = base, to = end;
    if (windows[i]) {
      uintptr_t start = address & ~(windows[i] - 1);
      if (start > from) from = start;
      if (to - start > windows[i]) to = start + windows[i];
    }
    long p = syscall(SYS_mmap, from, to - from, PROT_READ | PROT_WRITE,
                     MAP_FIXED | MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (p != -1) return true;
  }
  return false;
}

UNSEEN static bool contain(struct range *range, uintptr_t address) {
  uint32_t version = atomic_load_explicit(&range->version, memory_order_acquire);
  if (version & 1) return false;
  uintptr_t base = atomic_load_explicit(&range->base, memory_order_relaxed);
  uintptr_t end = atomic_load_explicit(&range->end, memory_order_relaxed);
  int eventfd = atomic_load_explicit(&range->eventfd, memory_order_relaxed);
  atomic_thread_fence(memory_order_acquire);
  if (atomic_load_explicit(&range->version, memory_order_relaxed) != version) return false;
  if (base == 0 || address < base || address >= end || !cover(base, end, address)) return false;
  atomic_store_explicit(&range->faulted, true, memory_order_release);
  uint64_t one = 1;
  long ignored = syscall(SYS_write, eventfd, &one, sizeof one);
  (void)ignored;
  return true;
}

UNSEEN static bool find(uintptr_t address) {
  int count = atomic_load_explicit(&used, memory_order_acquire);
  for (int first = 0; first < count; first += CLINUX_SIGBUS_BLOCK) {
    struct block *block = &blocks[first / CLINUX_SIGBUS_BLOCK];
    if (address < atomic_load_explicit(&block->low, memory_order_relaxed)) continue;
    if (address >= atomic_load_explicit(&block->high, memory_order_relaxed)) continue;
    int last = first + CLINUX_SIGBUS_BLOCK < count ? first + CLINUX_SIGBUS_BLOCK : count;
    for (int i = first; i < last; i++)
      if (contain(&ranges[i], address)) return true;
  }
  return false;
}

UNSEEN static void handler(int signal_number, siginfo_t *info, void *context) {
  (void)context;
  int saved = errno;
  /* Of a signal that a process sent, si_addr means nothing. */
  bool is_fault = info->si_code > 0;
  if (is_fault && find((uintptr_t)info->si_addr)) {
    errno = saved;
    return;
  }
  /* Not ours: the access faults again and takes the default action. */
  signal(signal_number, SIG_DFL);
  if (!is_fault) raise(signal_number);
  errno = saved;
}

int clinux_sigbus_install(void) {
  struct sigaction action;
  memset(&action, 0, sizeof action);
  action.sa_sigaction = handler;
  action.sa_flags = SA_SIGINFO | SA_NODEFER;
  sigemptyset(&action.sa_mask);
  return sigaction(SIGBUS, &action, NULL);
}

static void set(struct range *range, uintptr_t base, uintptr_t end, int eventfd) {
  uint32_t version = atomic_load_explicit(&range->version, memory_order_relaxed);
  atomic_store_explicit(&range->version, version + 1, memory_order_relaxed);
  atomic_thread_fence(memory_order_release);
  atomic_store_explicit(&range->eventfd, eventfd, memory_order_relaxed);
  atomic_store_explicit(&range->base, base, memory_order_relaxed);
  atomic_store_explicit(&range->end, end, memory_order_relaxed);
  atomic_store_explicit(&range->faulted, false, memory_order_relaxed);
  atomic_store_explicit(&range->version, version + 2, memory_order_release);
}

static void widen(struct block *block, uintptr_t base, uintptr_t end) {
  bool is_first = block->count++ == 0;
  if (is_first || base < atomic_load_explicit(&block->low, memory_order_relaxed))
    atomic_store_explicit(&block->low, base, memory_order_relaxed);
  if (is_first || end > atomic_load_explicit(&block->high, memory_order_relaxed))
    atomic_store_explicit(&block->high, end, memory_order_relaxed);
}

int clinux_sigbus_guard(void *base, size_t length, int eventfd) {
  uintptr_t start = (uintptr_t)base;
  pthread_mutex_lock(&lock);
  int slot = first_free;
  int count = atomic_load_explicit(&used, memory_order_relaxed);
  if (slot >= 0) {
    first_free = ranges[slot].next;
  } else if (count < CLINUX_SIGBUS_RANGES) {
    slot = count;
  }
  if (slot >= 0) {
    widen(&blocks[slot / CLINUX_SIGBUS_BLOCK], start, start + length);
    set(&ranges[slot], start, start + length, eventfd);
    if (slot == count) atomic_store_explicit(&used, count + 1, memory_order_release);
  }
  pthread_mutex_unlock(&lock);
  return slot;
}

bool clinux_sigbus_faulted(int slot) {
  return slot >= 0 && slot < CLINUX_SIGBUS_RANGES &&
         atomic_load_explicit(&ranges[slot].faulted, memory_order_acquire);
}

void clinux_sigbus_release(int slot) {
  if (slot < 0 || slot >= CLINUX_SIGBUS_RANGES) return;
  pthread_mutex_lock(&lock);
  set(&ranges[slot], 0, 0, -1);
  ranges[slot].next = first_free;
  first_free = slot;
  blocks[slot / CLINUX_SIGBUS_BLOCK].count--;
  pthread_mutex_unlock(&lock);
}
