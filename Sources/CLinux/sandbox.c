#define _GNU_SOURCE
#include "sandbox.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

int clinux_no_new_privileges(void) { return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); }

int clinux_keep_capabilities(void) { return prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0); }

int clinux_drop_bounding_capability(int capability) { return prctl(PR_CAPBSET_DROP, capability, 0, 0, 0); }

int clinux_clear_ambient_capabilities(void) {
  return prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
}

int clinux_get_capabilities(uint64_t *effective, uint64_t *permitted, uint64_t *inheritable) {
  struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
  struct __user_cap_data_struct data[2];
  if (syscall(SYS_capget, &header, data) != 0) return -1;
  *effective = data[0].effective | (uint64_t)data[1].effective << 32;
  *permitted = data[0].permitted | (uint64_t)data[1].permitted << 32;
  *inheritable = data[0].inheritable | (uint64_t)data[1].inheritable << 32;
  return 0;
}

int clinux_set_capabilities(uint64_t effective, uint64_t permitted, uint64_t inheritable) {
  struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
  struct __user_cap_data_struct data[2] = {
      {(uint32_t)effective, (uint32_t)permitted, (uint32_t)inheritable},
      {(uint32_t)(effective >> 32), (uint32_t)(permitted >> 32), (uint32_t)(inheritable >> 32)},
  };
  return (int)syscall(SYS_capset, &header, data);
}

int clinux_become(const char *name, uid_t user, gid_t group) {
  if (initgroups(name, group) != 0) return -1;
  if (setresgid(group, group, group) != 0) return -1;
  return setresuid(user, user, user);
}

int clinux_find_user(const char *name, uid_t *user, gid_t *group) {
  errno = 0;
  struct passwd *found = getpwnam(name);
  if (found == NULL) return -1;
  *user = found->pw_uid;
  *group = found->pw_gid;
  return 0;
}

int clinux_find_group(const char *name, gid_t *group) {
  errno = 0;
  struct group *found = getgrnam(name);
  if (found == NULL) return -1;
  *group = found->gr_gid;
  return 0;
}

long clinux_system_call(long number, long first, long second, long third, long fourth, long fifth) {
  return syscall(number, first, second, third, fourth, fifth);
}

int clinux_seccomp_filter(const struct sock_filter *instructions, unsigned short count, unsigned flags) {
  struct sock_fprog program = {.len = count, .filter = (struct sock_filter *)instructions};
  long result = syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags, &program);
  if (result > 0) { /* the thread that could not be synchronized */
    errno = EBUSY;
    return -1;
  }
  return (int)result;
}

int clinux_seccomp_has_action(uint32_t action) {
  return (int)syscall(SYS_seccomp, SECCOMP_GET_ACTION_AVAIL, 0, &action);
}

int clinux_landlock_version(void) {
  return (int)syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);
}

/* struct landlock_ruleset_attr as of version 6; older kernels take a shorter one, and newer ones this. */
struct ruleset {
  uint64_t files;
  uint64_t network;
  uint64_t scopes;
};

int clinux_landlock_ruleset(uint64_t files, uint64_t network, uint64_t scopes) {
  struct ruleset attributes = {files, network, scopes};
  size_t size = scopes != 0 ? sizeof attributes : network != 0 ? 2 * sizeof(uint64_t) : sizeof(uint64_t);
  return (int)syscall(SYS_landlock_create_ruleset, &attributes, size, 0);
}

int clinux_landlock_allow(int ruleset, int file, uint64_t accesses) {
  struct landlock_path_beneath_attr attributes = {.allowed_access = accesses, .parent_fd = file};
  return (int)syscall(SYS_landlock_add_rule, ruleset, LANDLOCK_RULE_PATH_BENEATH, &attributes, 0);
}

/* struct landlock_net_port_attr and LANDLOCK_RULE_NET_PORT, of version 4. */
int clinux_landlock_allow_port(int ruleset, uint64_t port, uint64_t accesses) {
  struct {
    uint64_t accesses;
    uint64_t port;
  } attributes = {accesses, port};
  return (int)syscall(SYS_landlock_add_rule, ruleset, 2, &attributes, 0);
}

int clinux_landlock_restrict(int ruleset) { return (int)syscall(SYS_landlock_restrict_self, ruleset, 0); }
