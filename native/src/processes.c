/* Processes named by a descriptor: a pid can be reused, a pidfd cannot. */
#include "common.h"

#include <sys/syscall.h>
#include <unistd.h>

#ifndef SYS_pidfd_send_signal
#define SYS_pidfd_send_signal 424
#endif
#ifndef SYS_pidfd_open
#define SYS_pidfd_open 434
#endif

static napi_value pidfd_open_(napi_env env, napi_callback_info info) {
  napi_value args[ARGS_MAX];
  int pid;
  if (!args_of(env, info, 1, args) || !int_of(env, args[0], &pid)) return NULL;
  int fd = (int)syscall(SYS_pidfd_open, pid, 0); /* CLOEXEC by itself */
  if (fd < 0) return throw_errno(env, errno, "pidfd_open", NULL);
  return int_value(env, fd);
}

static napi_value pidfd_send_signal_(napi_env env, napi_callback_info info) {
  napi_value args[ARGS_MAX];
  int fd, signal;
  if (!args_of(env, info, 2, args) || !int_of(env, args[0], &fd) || !int_of(env, args[1], &signal)) return NULL;
  if (syscall(SYS_pidfd_send_signal, fd, signal, NULL, 0) != 0) {
    return throw_errno(env, errno, "pidfd_send_signal", NULL);
  }
  return NULL;
}

void init_processes(napi_env env, napi_value exports) {
  define(env, exports, "pidfdOpen", pidfd_open_);
  define(env, exports, "pidfdSendSignal", pidfd_send_signal_);
}
