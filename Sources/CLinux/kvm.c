#if defined(__x86_64__)

#define _GNU_SOURCE
#include "kvm.h"

#include <pthread.h>
#include <signal.h>
#include <stddef.h>
#include <sys/ioctl.h>

_Static_assert(sizeof(struct clinux_kvm_ioeventfd) == sizeof(struct kvm_ioeventfd), "the ioctl number holds the size");
_Static_assert(offsetof(struct clinux_kvm_ioeventfd, flags) == offsetof(struct kvm_ioeventfd, flags), "layout");

int clinux_kvm_ioctl_value(int fd, unsigned long request, unsigned long argument) {
  return ioctl(fd, request, argument);
}

static void ignore(int signal) { (void)signal; }

int clinux_kvm_kick_signal(void) { return SIGUSR1; }

int clinux_kvm_accept_kicks(void) {
  struct sigaction action;
  if (sigaction(SIGUSR1, NULL, &action) != 0) return -1;
  if (action.sa_handler == SIG_DFL) {
    /* Without SA_RESTART: KVM_RUN must end. */
    action = (struct sigaction){.sa_handler = ignore};
    if (sigaction(SIGUSR1, &action, NULL) != 0) return -1;
  }
  sigset_t kick;
  sigemptyset(&kick);
  sigaddset(&kick, SIGUSR1);
  return pthread_sigmask(SIG_UNBLOCK, &kick, NULL) == 0 ? 0 : -1;
}

#else

/* An empty translation unit is not ISO C. */
typedef int clinux_kvm_needs_x86_64;

#endif
