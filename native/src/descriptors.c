/* Descriptors: pipes, terminals, locks, and reads and writes that never block. */
#include "common.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <termios.h>
#include <unistd.h>

/* What a read or write returns instead of an exception when it would block: nothing is made on the hot path. */
#define WOULD_BLOCK (-1)

static napi_value read_descriptor(napi_env env, napi_callback_info info) {
  napi_value args[ARGS_MAX];
  int fd;
  void *data;
  size_t size;
  if (!args_of(env, info, 4, args) || !int_of(env, args[0], &fd)) return NULL;
  if (!bytes_of(env, args[1], args[2], args[3], &data, &size)) return NULL;
  ssize_t count;
  do count = read(fd, data, size);
  while (count < 0 && errno == EINTR);
  if (count < 0 && errno == EAGAIN) return int_value(env, WOULD_BLOCK);
  if (count < 0) return throw_errno(env, errno, "read", NULL);
  return int_value(env, count);
}

static napi_value write_descriptor(napi_env env, napi_callback_info info) {
  napi_value args[ARGS_MAX];
  int fd;
  void *data;
  size_t size;
  if (!args_of(env, info, 4, args) || !int_of(env, args[0], &fd)) return NULL;
  if (!bytes_of(env, args[1], args[2], args[3], &data, &size)) return NULL;
  ssize_t count;
  do count = write(fd, data, size);
  while (count < 0 && errno == EINTR);
  if (count < 0 && errno == EAGAIN) return int_value(env, WOULD_BLOCK);
  if (count < 0) return throw_errno(env, errno, "write", NULL);
  return int_value(env, count);
}

static napi_value close_descriptor(napi_env env, napi_callback_info info) {
  napi_value args[ARGS_MAX];
  int fd;
  if (!args_of(env, info, 1, args) || !int_of(env, args[0], &fd)) return NULL;
  /* On Linux the descriptor is gone even after EINTR; closing again could hit somebody else's. */
  if (close(fd) != 0 && errno != EINTR) return throw_errno(env, errno, "close", NULL);
  return NULL;
}

static napi_value set_non_blocking(napi_env env, napi_callback_info info) {
  napi_value args[ARGS_MAX];
  int fd;
  if (!args_of(env, info, 1, args) || !int_of(env, args[0], &fd)) return NULL;
  int flags = fcntl(fd, F_GETFL);
  if (flags < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) != 0) return throw_errno(env, errno, "fcntl", NULL);
  return NULL;
}

static napi_value open_pipe(napi_env env, napi_callback_info info) {
  (void)info;
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) return throw_errno(env, errno, "pipe2", NULL);
  napi_value result;
  napi_create_object(env, &result);
  set_int(env, result, "read", ends[0]);
  set_int(env, result, "write", ends[1]);
  return result;
}

/* A file without a name, holding these bytes; a program opens it again by /proc/self/fd/N. */
static napi_value open_memory_file(napi_env env, napi_callback_info info) {
  napi_value args[ARGS_MAX];
  void *data;
  size_t size;
  if (!args_of(env, info, 2, args) || !whole_bytes_of(env, args[1], &data, &size)) return NULL;
  char *name = text_of(env, args[0]);
  if (name == NULL) return NULL;
  int fd = memfd_create(name, MFD_CLOEXEC);
  free(name);
  if (fd < 0) return throw_errno(env, errno, "memfd_create", NULL);
  for (size_t written = 0; written < size;) {
    ssize_t count = pwrite(fd, (char *)data + written, size - written, (off_t)written);
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) {
      int error = count == 0 ? ENOSPC : errno;
      close(fd);
      return throw_errno(env, error, "write", NULL);
    }
    written += (size_t)count;
  }
  return int_value(env, fd);
}

static napi_value set_pipe_size(napi_env env, napi_callback_info info) {
  napi_value args[ARGS_MAX];
  int fd, size;
  if (!args_of(env, info, 2, args) || !int_of(env, args[0], &fd) || !int_of(env, args[1], &size)) return NULL;
  if (fcntl(fd, F_SETPIPE_SZ, size) < 0) return throw_errno(env, errno, "fcntl", NULL);
  return NULL;
}

static napi_value open_terminal(napi_env env, napi_callback_info info) {
  (void)info;
  char path[64];
  int fd = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC | O_NONBLOCK);
  if (fd < 0) return throw_errno(env, errno, "open", "/dev/ptmx");
  int error = grantpt(fd) != 0 || unlockpt(fd) != 0 ? errno : ptsname_r(fd, path, sizeof path);
  if (error != 0) {
    close(fd);
    return throw_errno(env, error, "ptsname", NULL);
  }
  napi_value result;
  napi_create_object(env, &result);
  set_int(env, result, "fd", fd);
  set_text(env, result, "path", path);
  return result;
}

static napi_value set_window_size(napi_env env, napi_callback_info info) {
  napi_value args[ARGS_MAX];
  int fd, rows, columns;
  if (!args_of(env, info, 3, args) || !int_of(env, args[0], &fd)) return NULL;
  if (!int_of(env, args[1], &rows) || !int_of(env, args[2], &columns)) return NULL;
  if (rows < 0 || rows > UINT16_MAX || columns < 0 || columns > UINT16_MAX) {
    return throw_errno(env, EINVAL, "ioctl", NULL);
  }
  struct winsize size = {.ws_row = (unsigned short)rows, .ws_col = (unsigned short)columns};
  if (ioctl(fd, TIOCSWINSZ, &size) != 0) return throw_errno(env, errno, "ioctl", NULL);
  return NULL;
}

static napi_value get_window_size(napi_env env, napi_callback_info info) {
  napi_value args[ARGS_MAX];
  int fd;
  struct winsize size;
  if (!args_of(env, info, 1, args) || !int_of(env, args[0], &fd)) return NULL;
  if (ioctl(fd, TIOCGWINSZ, &size) != 0) return throw_errno(env, errno, "ioctl", NULL);
  napi_value result;
  napi_create_object(env, &result);
  set_int(env, result, "rows", size.ws_row);
  set_int(env, result, "columns", size.ws_col);
  return result;
}

static napi_value lock_descriptor(napi_env env, napi_callback_info info) {
  napi_value args[ARGS_MAX];
  napi_value result;
  int fd, status;
  if (!args_of(env, info, 1, args) || !int_of(env, args[0], &fd)) return NULL;
  do status = flock(fd, LOCK_EX | LOCK_NB);
  while (status != 0 && errno == EINTR);
  if (status != 0 && errno != EWOULDBLOCK) return throw_errno(env, errno, "flock", NULL);
  napi_get_boolean(env, status == 0, &result);
  return result;
}

void init_descriptors(napi_env env, napi_value exports) {
  define(env, exports, "readDescriptor", read_descriptor);
  define(env, exports, "writeDescriptor", write_descriptor);
  define(env, exports, "closeDescriptor", close_descriptor);
  define(env, exports, "setNonBlocking", set_non_blocking);
  define(env, exports, "openMemoryFile", open_memory_file);
  define(env, exports, "openPipe", open_pipe);
  define(env, exports, "setPipeSize", set_pipe_size);
  define(env, exports, "openTerminal", open_terminal);
  define(env, exports, "setWindowSize", set_window_size);
  define(env, exports, "getWindowSize", get_window_size);
  define(env, exports, "lockDescriptor", lock_descriptor);
}
