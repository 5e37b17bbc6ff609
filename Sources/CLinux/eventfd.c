#define _GNU_SOURCE
#include "eventfd.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#if defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define SANITIZED 1
#endif
#endif

struct writer {
  _Atomic(uint32_t) phase; /* odd during a write */
  _Atomic(int) thread;     /* 0: free */
} __attribute__((aligned(64)));

static struct writer writers[CLINUX_WRITERS];
static _Atomic(int) high; /* one past the highest place ever taken */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static _Thread_local struct writer *own;
static _Atomic(bool) resting;
static _Atomic(int) wake = -1;

static long put(int fd) {
  static const uint64_t one = 1;
#ifdef SANITIZED
  /* The thread sanitizer learns from write(2) that one thread goes on after the other. */
  return write(fd, &one, sizeof one);
#else
  return syscall(SYS_write, fd, &one, sizeof one);
#endif
}

__attribute__((noinline)) static void end_rest(void) {
  if (atomic_exchange(&resting, false)) put(atomic_load(&wake));
}

void clinux_eventfd_signal(int fd) {
  long result = put(fd);
  (void)result;
}

int clinux_eventfd_signal_peer(int fd) {
  struct writer *writer = own;
  if (!writer) return put(fd) == -1 && errno == EINTR ? -1 : 0;
  uint32_t phase = atomic_load_explicit(&writer->phase, memory_order_relaxed);
  /* Before the look at `resting`, as who goes to rest looks at the phases after it has said so. */
  atomic_store_explicit(&writer->phase, phase + 1, memory_order_seq_cst);
  if (atomic_load_explicit(&resting, memory_order_seq_cst)) end_rest();
  long result = put(fd);
  atomic_store_explicit(&writer->phase, phase + 2, memory_order_release);
  return result == -1 && errno == EINTR ? -1 : 0;
}

uint64_t clinux_eventfd_drain(int fd) {
  uint64_t count = 0;
#ifndef SANITIZED
  struct iovec vector = {&count, sizeof count};
  if (preadv2(fd, &vector, 1, -1, RWF_NOWAIT) == sizeof count) return count;
  if (errno != EOPNOTSUPP && errno != ENOSYS) return 0;
#endif
  /* Kernels before 5.12, and the thread sanitizer, which learns from read(2): a peer that is quick can have it wait. */
  struct pollfd entry = {fd, POLLIN, 0};
  if (poll(&entry, 1, 0) != 1) return 0;
  return read(fd, &count, sizeof count) == sizeof count ? count : 0;
}

static void interrupted(int signal_number) { (void)signal_number; }

int clinux_writers_install(int wake_eventfd) {
  struct sigaction action;
  memset(&action, 0, sizeof action);
  /* No SA_RESTART: the write ends with EINTR. */
  action.sa_handler = interrupted;
  sigemptyset(&action.sa_mask);
  if (sigaction(SIGURG, &action, NULL) != 0) return -1;
  atomic_store(&wake, wake_eventfd);
  return 0;
}

int clinux_writer_enter(void) {
  int place = -1;
  pthread_mutex_lock(&lock);
  for (int i = 0; i < CLINUX_WRITERS && place < 0; i++)
    if (atomic_load_explicit(&writers[i].thread, memory_order_relaxed) == 0) place = i;
  if (place >= 0) {
    atomic_store(&writers[place].thread, (int)syscall(SYS_gettid));
    if (place >= atomic_load(&high)) atomic_store(&high, place + 1);
  }
  pthread_mutex_unlock(&lock);
  if (place < 0) return -1;
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGURG);
  pthread_sigmask(SIG_UNBLOCK, &set, NULL);
  own = &writers[place];
  return place;
}

void clinux_writer_leave(void) {
  if (!own) return;
  pthread_mutex_lock(&lock);
  atomic_store(&own->thread, 0);
  pthread_mutex_unlock(&lock);
  own = NULL;
}

int clinux_writer_count(void) { return atomic_load(&high); }

uint32_t clinux_writer_phase(int place) {
  return place >= 0 && place < CLINUX_WRITERS ? atomic_load(&writers[place].phase) : 0;
}

void clinux_writer_interrupt(int place, uint32_t phase) {
  if (place < 0 || place >= CLINUX_WRITERS) return;
  /* A place is not given to another thread meanwhile. */
  pthread_mutex_lock(&lock);
  int thread = atomic_load(&writers[place].thread);
  if (thread != 0 && atomic_load(&writers[place].phase) == phase) syscall(SYS_tgkill, getpid(), thread, SIGURG);
  pthread_mutex_unlock(&lock);
}

void clinux_writers_rest(bool rests) { atomic_store(&resting, rests); }

bool clinux_writers_are_resting(void) { return atomic_load(&resting); }
