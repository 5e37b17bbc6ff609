#define _GNU_SOURCE
#include "sigbus.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

struct range {
  _Atomic(uintptr_t) base; /* 0: free */
  _Atomic(uintptr_t) end;
  _Atomic(int) eventfd;
};

static struct range ranges[CLINUX_SIGBUS_RANGES];
static _Atomic(int) high; /* one past the highest slot ever used */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static int free_hint;

static void handler(int signal_number, siginfo_t *info, void *context) {
  (void)context;
  int saved = errno;
  uintptr_t address = (uintptr_t)info->si_addr;
  int n = atomic_load_explicit(&high, memory_order_acquire);
  for (int i = 0; i < n; i++) {
    uintptr_t base = atomic_load_explicit(&ranges[i].base, memory_order_acquire);
    uintptr_t end = atomic_load_explicit(&ranges[i].end, memory_order_relaxed);
    if (base == 0 || address < base || address >= end) continue;
    void *p = mmap((void *)base, end - base, PROT_READ | PROT_WRITE,
                   MAP_FIXED | MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (p == MAP_FAILED) break;
    uint64_t one = 1;
    ssize_t ignored = write(atomic_load_explicit(&ranges[i].eventfd, memory_order_relaxed), &one, sizeof one);
    (void)ignored;
    errno = saved;
    return;
  }
  /* Not ours: the access faults again and takes the default action. */
  signal(signal_number, SIG_DFL);
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

int clinux_sigbus_guard(void *base, size_t length, int eventfd) {
  int slot = -1;
  pthread_mutex_lock(&lock);
  for (int n = 0; n < CLINUX_SIGBUS_RANGES; n++) {
    int i = (free_hint + n) % CLINUX_SIGBUS_RANGES;
    if (atomic_load_explicit(&ranges[i].base, memory_order_relaxed) != 0) continue;
    atomic_store_explicit(&ranges[i].eventfd, eventfd, memory_order_relaxed);
    atomic_store_explicit(&ranges[i].end, (uintptr_t)base + length, memory_order_relaxed);
    atomic_store_explicit(&ranges[i].base, (uintptr_t)base, memory_order_release);
    if (i >= atomic_load_explicit(&high, memory_order_relaxed))
      atomic_store_explicit(&high, i + 1, memory_order_release);
    slot = i;
    free_hint = i + 1;
    break;
  }
  pthread_mutex_unlock(&lock);
  return slot;
}

void clinux_sigbus_release(int slot) {
  if (slot < 0 || slot >= CLINUX_SIGBUS_RANGES) return;
  pthread_mutex_lock(&lock);
  atomic_store_explicit(&ranges[slot].base, 0, memory_order_release);
  if (slot < free_hint) free_hint = slot;
  pthread_mutex_unlock(&lock);
}
