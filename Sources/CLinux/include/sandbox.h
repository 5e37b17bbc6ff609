#ifndef CLINUX_SANDBOX_H
#define CLINUX_SANDBOX_H

#include <linux/audit.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/landlock.h>
#include <linux/seccomp.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <sys/types.h>

/* What a process gives up of its rights: capabilities(7), seccomp(2), landlock(7). All return 0 or more, or -1 with
 * errno. */

/* prctl(2) PR_SET_NO_NEW_PRIVS, for the calling thread. */
int clinux_no_new_privileges(void);
/* PR_SET_KEEPCAPS: the permitted capabilities stay when the user changes. */
int clinux_keep_capabilities(void);
/* PR_CAPBSET_DROP; EINVAL for a capability that this kernel does not have. */
int clinux_drop_bounding_capability(int capability);
/* PR_CAP_AMBIENT_CLEAR_ALL. */
int clinux_clear_ambient_capabilities(void);
/* The calling thread's effective, permitted and inheritable capabilities, as bit masks (capget(2), capset(2)). */
int clinux_get_capabilities(uint64_t *effective, uint64_t *permitted, uint64_t *inheritable);
int clinux_set_capabilities(uint64_t effective, uint64_t permitted, uint64_t inheritable);

/* Becomes another user: the groups of `name` with `group` among them, then the group, then the user. Of all threads. */
int clinux_become(const char *name, uid_t user, gid_t group);
/* The user and main group of a name, or the number of a group; -1 where there is none, with errno 0, or with errno. */
int clinux_find_user(const char *name, uid_t *user, gid_t *group);
int clinux_find_group(const char *name, gid_t *group);

/* syscall(2), for calls that have no wrapper. */
long clinux_system_call(long number, long first, long second, long third, long fourth, long fifth);

/* seccomp(2) SECCOMP_SET_MODE_FILTER. */
int clinux_seccomp_filter(const struct sock_filter *instructions, unsigned short count, unsigned flags);
/* SECCOMP_GET_ACTION_AVAIL. */
int clinux_seccomp_has_action(uint32_t action);

/* The version of the kernel's Landlock, at least 1. */
int clinux_landlock_version(void);
/* A ruleset that handles these accesses and scopes; a descriptor that closes on exec. */
int clinux_landlock_ruleset(uint64_t files, uint64_t network, uint64_t scopes);
/* Allows accesses below a folder, or to a file, that is open as `file` (O_PATH is enough). */
int clinux_landlock_allow(int ruleset, int file, uint64_t accesses);
/* Allows a TCP port. */
int clinux_landlock_allow_port(int ruleset, uint64_t port, uint64_t accesses);
/* Restricts the calling thread, and those that it starts from then on. */
int clinux_landlock_restrict(int ruleset);

/* The architecture that seccomp tells a filter. */
#if defined(__x86_64__)
static const uint32_t CLINUX_AUDIT_ARCH = AUDIT_ARCH_X86_64;
#elif defined(__aarch64__)
static const uint32_t CLINUX_AUDIT_ARCH = AUDIT_ARCH_AARCH64;
#endif

#endif
