/* Unix sockets that node:net cannot speak: packets, descriptors in flight, who is on the other side. */
#include "common.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define WOULD_BLOCK (-1)
/* crun and runc send the terminal's name along with it; PATH_MAX is the most it can be. */
#define NAME_BYTES_MAX 4096
/* More than one descriptor in a message is against the console-socket protocol; room for some, to close them. */
#define DESCRIPTORS_MAX 8

/*
 * Fills a socket address. A path that is too long for it (107 bytes) goes through its directory, opened as *dirfd,
 * which the caller closes when it is not -1. Returns 0 or an errno.
 */
static int address_of(const char *path, struct sockaddr_un *address, int *dirfd) {
  *dirfd = -1;
  memset(address, 0, sizeof *address);
  address->sun_family = AF_UNIX;
  if (*path == '\0') return EINVAL;
  if (strlen(path) < sizeof address->sun_path) {
    strcpy(address->sun_path, path);
    return 0;
  }
  const char *slash = strrchr(path, '/');
  if (slash == NULL) return ENAMETOOLONG;
  char *directory = strndup(path, slash == path ? 1 : (size_t)(slash - path));
  if (directory == NULL) return ENOMEM;
  *dirfd = open(directory, O_PATH | O_DIRECTORY | O_CLOEXEC);
  int error = errno;
  free(directory);
  if (*dirfd < 0) return error;
  int length = snprintf(address->sun_path, sizeof address->sun_path, "/proc/self/fd/%d/%s", *dirfd, slash + 1);
  if (length >= 0 && (size_t)length < sizeof address->sun_path) return 0;
  close(*dirfd);
  *dirfd = -1;
  return ENAMETOOLONG;
}

/* Makes a socket and connects or binds it. Returns the descriptor, or -errno with *syscall naming the failed one. */
static int open_socket(const char *path, int type, bool listening, const char **syscall) {
  struct sockaddr_un address;
  int dirfd;
  *syscall = listening ? "bind" : "connect";
  int error = address_of(path, &address, &dirfd);
  if (error != 0) return -error;
  int fd = socket(AF_UNIX, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (fd < 0) {
    error = errno;
    *syscall = "socket";
  } else if (listening ? bind(fd, (struct sockaddr *)&address, sizeof address) != 0
                       : connect(fd, (struct sockaddr *)&address, sizeof address) != 0) {
    error = errno;
  } else if (listening && listen(fd, 1) != 0) {
    error = errno;
    *syscall = "listen";
  }
  if (dirfd >= 0) close(dirfd);
  if (error == 0) return fd;
  if (fd >= 0) close(fd);
  return -error;
}

static napi_value open_socket_at(napi_env env, napi_callback_info info, int type, bool listening) {
  napi_value args[ARGS_MAX];
  if (!args_of(env, info, 1, args)) return NULL;
  char *path = text_of(env, args[0]);
  if (path == NULL) return NULL;
  const char *syscall;
  int fd = open_socket(path, type, listening, &syscall);
  napi_value result = fd < 0 ? throw_errno(env, -fd, syscall, path) : int_value(env, fd);
  free(path);
  return result;
}

static napi_value connect_stream(napi_env env, napi_callback_info info) {
  return open_socket_at(env, info, SOCK_STREAM, false);
}

static napi_value connect_seqpacket(napi_env env, napi_callback_info info) {
  return open_socket_at(env, info, SOCK_SEQPACKET, false);
}

static napi_value listen_seqpacket(napi_env env, napi_callback_info info) {
  return open_socket_at(env, info, SOCK_SEQPACKET, true);
}

static napi_value listen_stream(napi_env env, napi_callback_info info) {
  return open_socket_at(env, info, SOCK_STREAM, true);
}

static napi_value accept_connection(napi_env env, napi_callback_info info) {
  napi_value args[ARGS_MAX];
  int fd, connection;
  if (!args_of(env, info, 1, args) || !int_of(env, args[0], &fd)) return NULL;
  do connection = accept4(fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
  while (connection < 0 && (errno == EINTR || errno == ECONNABORTED));
  if (connection < 0 && errno == EAGAIN) return int_value(env, WOULD_BLOCK);
  if (connection < 0) return throw_errno(env, errno, "accept4", NULL);
  return int_value(env, connection);
}

static napi_value receive_packet(napi_env env, napi_callback_info info) {
  napi_value args[ARGS_MAX];
  int fd;
  void *data;
  size_t size;
  if (!args_of(env, info, 4, args) || !int_of(env, args[0], &fd)) return NULL;
  if (!bytes_of(env, args[1], args[2], args[3], &data, &size)) return NULL;
  ssize_t count;
  /* With MSG_TRUNC the kernel tells a packet's real length, so one that did not fit is an error and not a loss. */
  do count = recv(fd, data, size, MSG_DONTWAIT | MSG_TRUNC);
  while (count < 0 && errno == EINTR);
  if (count < 0 && errno == EAGAIN) return int_value(env, WOULD_BLOCK);
  if (count < 0) return throw_errno(env, errno, "recv", NULL);
  if ((size_t)count > size) return throw_errno(env, EMSGSIZE, "recv", NULL);
  return int_value(env, count);
}

static napi_value send_packet(napi_env env, napi_callback_info info) {
  napi_value args[ARGS_MAX];
  int fd;
  void *data;
  size_t size;
  if (!args_of(env, info, 4, args) || !int_of(env, args[0], &fd)) return NULL;
  if (!bytes_of(env, args[1], args[2], args[3], &data, &size)) return NULL;
  ssize_t count;
  do count = send(fd, data, size, MSG_DONTWAIT | MSG_NOSIGNAL);
  while (count < 0 && errno == EINTR);
  if (count < 0 && errno == EAGAIN) return int_value(env, WOULD_BLOCK);
  if (count < 0) return throw_errno(env, errno, "send", NULL);
  return int_value(env, count);
}

static napi_value shutdown_write(napi_env env, napi_callback_info info) {
  napi_value args[ARGS_MAX];
  int fd;
  if (!args_of(env, info, 1, args) || !int_of(env, args[0], &fd)) return NULL;
  if (shutdown(fd, SHUT_WR) != 0) return throw_errno(env, errno, "shutdown", NULL);
  return NULL;
}

/* Takes the first descriptor out of a message and closes any others. Returns -1 when there is none. */
static int take_descriptor(struct msghdr *message) {
  int taken = -1;
  for (struct cmsghdr *part = CMSG_FIRSTHDR(message); part != NULL; part = CMSG_NXTHDR(message, part)) {
    if (part->cmsg_level != SOL_SOCKET || part->cmsg_type != SCM_RIGHTS) continue;
    size_t count = (part->cmsg_len - CMSG_LEN(0)) / sizeof(int);
    for (size_t i = 0; i < count; i++) {
      int fd;
      memcpy(&fd, CMSG_DATA(part) + i * sizeof(int), sizeof fd);
      if (taken < 0) taken = fd;
      else close(fd);
    }
  }
  return taken;
}

static napi_value receive_descriptor(napi_env env, napi_callback_info info) {
  napi_value args[ARGS_MAX];
  int fd;
  if (!args_of(env, info, 1, args) || !int_of(env, args[0], &fd)) return NULL;
  char name[NAME_BYTES_MAX + 1];
  union {
    char bytes[CMSG_SPACE(DESCRIPTORS_MAX * sizeof(int))];
    struct cmsghdr align;
  } control;
  struct iovec payload = {.iov_base = name, .iov_len = NAME_BYTES_MAX};
  struct msghdr message = {
      .msg_iov = &payload, .msg_iovlen = 1, .msg_control = control.bytes, .msg_controllen = sizeof control.bytes};
  ssize_t count;
  do count = recvmsg(fd, &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
  while (count < 0 && errno == EINTR);
  if (count < 0 && errno == EAGAIN) return NULL;
  if (count < 0) return throw_errno(env, errno, "recvmsg", NULL);
  int taken = take_descriptor(&message);
  if (taken < 0) return throw_errno(env, count == 0 ? ECONNRESET : EPROTO, "recvmsg", NULL);
  name[count] = '\0';
  napi_value result;
  napi_create_object(env, &result);
  set_int(env, result, "fd", taken);
  set_text(env, result, "name", name);
  return result;
}

static napi_value send_descriptor(napi_env env, napi_callback_info info) {
  napi_value args[ARGS_MAX];
  int fd, sent;
  if (!args_of(env, info, 3, args) || !int_of(env, args[0], &fd) || !int_of(env, args[1], &sent)) return NULL;
  char *name = text_of(env, args[2]);
  if (name == NULL) return NULL;
  union {
    char bytes[CMSG_SPACE(sizeof(int))];
    struct cmsghdr align;
  } control = {0};
  struct iovec payload = {.iov_base = name, .iov_len = strlen(name)};
  struct msghdr message = {
      .msg_iov = &payload, .msg_iovlen = 1, .msg_control = control.bytes, .msg_controllen = sizeof control.bytes};
  struct cmsghdr *part = CMSG_FIRSTHDR(&message);
  part->cmsg_level = SOL_SOCKET;
  part->cmsg_type = SCM_RIGHTS;
  part->cmsg_len = CMSG_LEN(sizeof(int));
  memcpy(CMSG_DATA(part), &sent, sizeof sent);
  ssize_t count;
  do count = sendmsg(fd, &message, MSG_DONTWAIT | MSG_NOSIGNAL);
  while (count < 0 && errno == EINTR);
  int error = errno;
  free(name);
  if (count < 0) return throw_errno(env, error, "sendmsg", NULL);
  return NULL;
}

static napi_value peer_credentials(napi_env env, napi_callback_info info) {
  napi_value args[ARGS_MAX];
  int fd;
  struct ucred peer;
  socklen_t size = sizeof peer;
  if (!args_of(env, info, 1, args) || !int_of(env, args[0], &fd)) return NULL;
  if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) != 0) return throw_errno(env, errno, "getsockopt", NULL);
  napi_value result;
  napi_create_object(env, &result);
  set_int(env, result, "pid", peer.pid);
  set_int(env, result, "uid", peer.uid);
  set_int(env, result, "gid", peer.gid);
  return result;
}

void init_sockets(napi_env env, napi_value exports) {
  define(env, exports, "connectSeqpacket", connect_seqpacket);
  define(env, exports, "connectStream", connect_stream);
  define(env, exports, "listenSeqpacket", listen_seqpacket);
  define(env, exports, "listenStream", listen_stream);
  define(env, exports, "acceptConnection", accept_connection);
  define(env, exports, "receivePacket", receive_packet);
  define(env, exports, "sendPacket", send_packet);
  define(env, exports, "shutdownWrite", shutdown_write);
  define(env, exports, "receiveDescriptor", receive_descriptor);
  define(env, exports, "sendDescriptor", send_descriptor);
  define(env, exports, "peerCredentials", peer_credentials);
}
