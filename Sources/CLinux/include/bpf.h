#ifndef CLINUX_BPF_H
#define CLINUX_BPF_H

#include <linux/bpf.h>
#include <stddef.h>
#include <stdint.h>

/* bpf(2), one function for each command: its argument is a union of anonymous structs, which Swift cannot fill. All
 * return what the call returns: 0 or a descriptor that closes on exec, or -1 with errno. */

int clinux_bpf_map_create(unsigned type, unsigned key_size, unsigned value_size, unsigned entries, unsigned flags,
                          const char *name);
int clinux_bpf_map_lookup(int map, const void *key, void *value);
int clinux_bpf_map_update(int map, const void *key, const void *value, uint64_t flags);
int clinux_bpf_map_delete(int map, const void *key);
/* The key after key, or the first one where key is NULL. */
int clinux_bpf_map_next_key(int map, const void *key, void *next);
/* instructions: struct bpf_insn as words of 64 bits. log may be NULL. */
int clinux_bpf_program_load(unsigned type, const uint64_t *instructions, unsigned count, const char *name, char *log,
                            unsigned log_size);
int clinux_bpf_raw_tracepoint_open(const char *tracepoint, int program);
/* Runs a raw tracepoint program once, in the calling thread. */
int clinux_bpf_test_run(int program, const void *context, unsigned context_size, uint32_t *result);

/* Lifts RLIMIT_MEMLOCK as far as the process may. */
void clinux_raise_locked_memory(void);

/* membarrier(2) of all processes: waits until every CPU has left what it does with preemption off, and so until every
 * run of a program that began before has ended. */
int clinux_membarrier(void);

#endif
