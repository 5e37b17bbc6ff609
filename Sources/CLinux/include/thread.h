#ifndef CLINUX_THREAD_H
#define CLINUX_THREAD_H

/* Names the calling thread (at most 15 bytes are kept). */
void clinux_set_thread_name(const char *name);
/* Binds the calling thread to the CPUs listed; 0 or -1 with errno. */
int clinux_set_affinity(const int *cpus, int count);
/* How many CPUs the calling thread may run on, or -1 with errno. */
int clinux_affinity_count(void);
/* Blocks every signal but SIGBUS, SIGSEGV, SIGFPE, SIGILL, SIGABRT and SIGTRAP in the calling thread. */
void clinux_block_signals(void);
/* Takes 1 from a sem_t, waiting at most so many ns (sem_clockwait(3), CLOCK_MONOTONIC); 0 where nothing was there. */
int clinux_semaphore_wait(void *semaphore, long long ns);
/* CPU time used by the calling thread, in ns. */
long long clinux_thread_cpu_ns(void);
/* CPU time used by the process, in ns. */
long long clinux_process_cpu_ns(void);
/* CLOCK_MONOTONIC, in ns. */
long long clinux_monotonic_ns(void);
/* CLOCK_REALTIME, in ns. */
long long clinux_realtime_ns(void);

#endif
