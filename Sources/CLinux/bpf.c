#define _GNU_SOURCE
#include "bpf.h"

#include <linux/membarrier.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

static int call(int command, union bpf_attr *attributes) {
  return (int)syscall(SYS_bpf, command, attributes, sizeof *attributes);
}

static uint64_t address(const void *pointer) { return (uint64_t)(uintptr_t)pointer; }

/* Names of objects are cut to what the kernel takes. */
static void set_name(char *field, const char *name) {
  strncpy(field, name, BPF_OBJ_NAME_LEN - 1);
}

int clinux_bpf_map_create(unsigned type, unsigned key_size, unsigned value_size, unsigned entries, unsigned flags,
                          const char *name) {
  union bpf_attr attributes;
  memset(&attributes, 0, sizeof attributes);
  attributes.map_type = type;
  attributes.key_size = key_size;
  attributes.value_size = value_size;
  attributes.max_entries = entries;
  attributes.map_flags = flags;
  set_name(attributes.map_name, name);
  return call(BPF_MAP_CREATE, &attributes);
}

static int element(int command, int map, const void *key, const void *value, uint64_t flags) {
  union bpf_attr attributes;
  memset(&attributes, 0, sizeof attributes);
  attributes.map_fd = (uint32_t)map;
  attributes.key = address(key);
  attributes.value = address(value);
  attributes.flags = flags;
  return call(command, &attributes);
}

int clinux_bpf_map_lookup(int map, const void *key, void *value) {
  return element(BPF_MAP_LOOKUP_ELEM, map, key, value, 0);
}

int clinux_bpf_map_update(int map, const void *key, const void *value, uint64_t flags) {
  return element(BPF_MAP_UPDATE_ELEM, map, key, value, flags);
}

int clinux_bpf_map_delete(int map, const void *key) { return element(BPF_MAP_DELETE_ELEM, map, key, NULL, 0); }

int clinux_bpf_map_next_key(int map, const void *key, void *next) {
  return element(BPF_MAP_GET_NEXT_KEY, map, key, next, 0);
}

int clinux_bpf_program_load(unsigned type, const uint64_t *instructions, unsigned count, const char *name, char *log,
                            unsigned log_size) {
  union bpf_attr attributes;
  memset(&attributes, 0, sizeof attributes);
  attributes.prog_type = type;
  attributes.insns = address(instructions);
  attributes.insn_cnt = count;
  /* bpf_probe_read_kernel may be called only by what says that it is compatible with the GPL. */
  attributes.license = address("Dual MIT/GPL");
  set_name(attributes.prog_name, name);
  if (log != NULL) {
    attributes.log_buf = address(log);
    attributes.log_size = log_size;
    attributes.log_level = 1;
  }
  return call(BPF_PROG_LOAD, &attributes);
}

int clinux_bpf_raw_tracepoint_open(const char *tracepoint, int program) {
  union bpf_attr attributes;
  memset(&attributes, 0, sizeof attributes);
  attributes.raw_tracepoint.name = address(tracepoint);
  attributes.raw_tracepoint.prog_fd = (uint32_t)program;
  return call(BPF_RAW_TRACEPOINT_OPEN, &attributes);
}

int clinux_bpf_test_run(int program, const void *context, unsigned context_size, uint32_t *result) {
  union bpf_attr attributes;
  memset(&attributes, 0, sizeof attributes);
  attributes.test.prog_fd = (uint32_t)program;
  attributes.test.ctx_in = address(context);
  attributes.test.ctx_size_in = context_size;
  int status = call(BPF_PROG_TEST_RUN, &attributes);
  *result = attributes.test.retval;
  return status;
}

void clinux_raise_locked_memory(void) {
  struct rlimit limit;
  if (getrlimit(RLIMIT_MEMLOCK, &limit) != 0) return;
  struct rlimit wanted = {RLIM_INFINITY, RLIM_INFINITY};
  if (setrlimit(RLIMIT_MEMLOCK, &wanted) == 0) return;
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_MEMLOCK, &limit);
}

int clinux_membarrier(void) { return (int)syscall(SYS_membarrier, MEMBARRIER_CMD_GLOBAL, 0, 0); }
