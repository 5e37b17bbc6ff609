#define _GNU_SOURCE
#include "socket.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* Room for the largest SCM_RIGHTS message, aligned as the CMSG_ macros want it. */
union control {
  struct cmsghdr header;
  char bytes[CMSG_SPACE(CLINUX_SCM_MAX_FD * sizeof(int))];
};

int clinux_accept(int socket) { return accept4(socket, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK); }

int clinux_peer_credentials(int socket, pid_t *pid, uid_t *uid, gid_t *gid) {
  struct ucred peer;
  socklen_t length = sizeof peer;
  if (getsockopt(socket, SOL_SOCKET, SO_PEERCRED, &peer, &length) != 0) return -1;
  *pid = peer.pid;
  *uid = peer.uid;
  *gid = peer.gid;
  return 0;
}

ssize_t clinux_send_descriptors(int socket, const struct iovec *parts, size_t part_count, const int *fds,
                                size_t fd_count, int flags) {
  union control control;
  struct msghdr message = {.msg_iov = (struct iovec *)parts, .msg_iovlen = part_count};
  if (fd_count > CLINUX_SCM_MAX_FD) {
    errno = EINVAL;
    return -1;
  }
  if (fd_count > 0) {
    memset(&control, 0, sizeof control);
    message.msg_control = control.bytes;
    message.msg_controllen = CMSG_SPACE(fd_count * sizeof(int));
    struct cmsghdr *rights = CMSG_FIRSTHDR(&message);
    rights->cmsg_level = SOL_SOCKET;
    rights->cmsg_type = SCM_RIGHTS;
    rights->cmsg_len = CMSG_LEN(fd_count * sizeof(int));
    memcpy(CMSG_DATA(rights), fds, fd_count * sizeof(int));
  }
  return sendmsg(socket, &message, flags | MSG_NOSIGNAL);
}

ssize_t clinux_receive_descriptors(int socket, void *buffer, size_t length, int *fds, size_t capacity, size_t *count,
                                   bool *lost, int flags) {
  union control control;
  struct iovec part = {.iov_base = buffer, .iov_len = length};
  struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1, .msg_control = control.bytes};
  if (capacity > CLINUX_SCM_MAX_FD) capacity = CLINUX_SCM_MAX_FD;
  message.msg_controllen = CMSG_SPACE(capacity * sizeof(int));
  *count = 0;
  *lost = false;

  ssize_t result = recvmsg(socket, &message, flags | MSG_CMSG_CLOEXEC);
  if (result < 0) return result;
  for (struct cmsghdr *c = CMSG_FIRSTHDR(&message); c != NULL; c = CMSG_NXTHDR(&message, c)) {
    if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS) continue;
    size_t received = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);
    for (size_t i = 0; i < received; i++) {
      int fd;
      memcpy(&fd, CMSG_DATA(c) + i * sizeof(int), sizeof fd);
      if (*count < capacity) {
        fds[(*count)++] = fd;
      } else { /* CMSG_SPACE rounds up: the kernel may have found room for one more. */
        close(fd);
        *lost = true;
      }
    }
  }
  if (message.msg_flags & MSG_CTRUNC) *lost = true;
  return result;
}
