#define _GNU_SOURCE
#include "thread.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <signal.h>
#include <stdint.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

void clinux_set_thread_name(const char *name) {
  char kept[16];
  strncpy(kept, name, sizeof kept - 1);
  kept[sizeof kept - 1] = 0;
  pthread_setname_np(pthread_self(), kept);
}

int clinux_set_affinity(const int *cpus, int count) {
  cpu_set_t set;
  CPU_ZERO(&set);
  for (int i = 0; i < count; i++)
    if (cpus[i] >= 0 && cpus[i] < CPU_SETSIZE) CPU_SET(cpus[i], &set);
  return sched_setaffinity(0, sizeof set, &set);
}

int clinux_affinity_count(void) {
  cpu_set_t set;
  return sched_getaffinity(0, sizeof set, &set) == 0 ? CPU_COUNT(&set) : -1;
}

void clinux_block_signals(void) {
  sigset_t set;
  sigfillset(&set);
  int kept[] = {SIGBUS, SIGSEGV, SIGFPE, SIGILL, SIGABRT, SIGTRAP};
  for (unsigned i = 0; i < sizeof kept / sizeof *kept; i++) sigdelset(&set, kept[i]);
  pthread_sigmask(SIG_SETMASK, &set, NULL);
}

int clinux_semaphore_wait(void *semaphore, long long ns) {
  struct timespec end;
  clock_gettime(CLOCK_MONOTONIC, &end);
  long long nanoseconds = end.tv_nsec + (ns < 0 ? 0 : ns % 1000000000);
  end.tv_sec += (ns < 0 ? 0 : ns / 1000000000) + nanoseconds / 1000000000;
  end.tv_nsec = nanoseconds % 1000000000;
  while (sem_clockwait(semaphore, CLOCK_MONOTONIC, &end) == -1)
    if (errno != EINTR) return 0;
  return 1;
}

static long long read_clock(clockid_t clock) {
  struct timespec t;
  clock_gettime(clock, &t);
  return (long long)t.tv_sec * 1000000000LL + t.tv_nsec;
}

long long clinux_thread_cpu_ns(void) { return read_clock(CLOCK_THREAD_CPUTIME_ID); }

long long clinux_process_cpu_ns(void) { return read_clock(CLOCK_PROCESS_CPUTIME_ID); }

long long clinux_monotonic_ns(void) { return read_clock(CLOCK_MONOTONIC); }

long long clinux_realtime_ns(void) { return read_clock(CLOCK_REALTIME); }
