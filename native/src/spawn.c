/*
 * Starting a program without copying the engine: docs/adr/0004-spawning.md.
 *
 * The child shares the engine's memory and the calling thread stands still until it has executed the program or given up
 * (CLONE_VM and CLONE_VFORK). So no page table is copied, and the child reports a failure by writing into `struct plan`. It has its own
 * descriptors, working directory and signal handlers, and calls nothing but the kernel.
 */
#include "common.h"

#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#ifndef CLONE_PIDFD
#define CLONE_PIDFD 0x00001000
#endif
#ifndef P_PIDFD
#define P_PIDFD 3
#endif
#ifndef SYS_close_range
#define SYS_close_range 436
#endif
#define CLOSE_RANGE_CLOEXEC_ (1U << 2)

/* The child needs some hundred bytes; a page below it is a guard. */
#define STACK_SIZE (64 * 1024)
#define GUARD_SIZE (4 * 1024)
/* Descriptors a program is given; more is a mistake of the caller. */
#define DESCRIPTORS_MAX 64
/* The null device, instead of a descriptor of ours. */
#define IGNORED (-1)

struct plan {
  char **files; /* tried in this order, as execvp(3) does with $PATH */
  char **argv;
  char **envp;
  char *cwd;
  int *descriptors; /* by the program's number */
  int count;
  bool session;
  int error;
  const char *syscall;
  const char *path;
};

static int fail(struct plan *plan, const char *syscall, const char *path) {
  plan->error = errno;
  plan->syscall = syscall;
  plan->path = path;
  return -1;
}

/* A handler of the engine's would run in the child, on the engine's memory; what the engine ignores, its programs do not. */
static void reset_signals(void) {
  struct sigaction standard;
  memset(&standard, 0, sizeof standard);
  standard.sa_handler = SIG_DFL;
  /* Refused for SIGKILL, SIGSTOP and the C library's own two. */
  for (int number = 1; number < NSIG; number++) sigaction(number, &standard, NULL);
}

static int open_null(int at) {
  int fd = open("/dev/null", (at == 0 ? O_RDONLY : O_RDWR) | O_CLOEXEC);
  if (fd < 0 || fd == at) return fd;
  int status = dup2(fd, at);
  close(fd);
  return status;
}

/* Gives the program its descriptors and nothing else. */
static int place_descriptors(struct plan *plan) {
  int *from = plan->descriptors;
  /* Out of the way first: placing one must not overwrite another that is still to be placed. */
  for (int at = 0; at < plan->count; at++) {
    if (from[at] == IGNORED || from[at] == at || from[at] >= plan->count) continue;
    from[at] = fcntl(from[at], F_DUPFD_CLOEXEC, plan->count);
    if (from[at] < 0) return fail(plan, "fcntl", NULL);
  }
  for (int at = 0; at < plan->count; at++) {
    if (from[at] == IGNORED || from[at] == at) continue;
    if (dup2(from[at], at) < 0) return fail(plan, "dup2", NULL);
  }
  for (int at = 0; at < plan->count; at++) {
    if (from[at] == IGNORED && open_null(at) < 0) return fail(plan, "open", "/dev/null");
    if (fcntl(at, F_SETFD, 0) < 0) return fail(plan, "fcntl", NULL);
  }
  /* All of ours are close-on-exec; what our own parent left open to us need not be. */
  if (syscall(SYS_close_range, plan->count, ~0U, CLOSE_RANGE_CLOEXEC_) != 0) return fail(plan, "close_range", NULL);
  return 0;
}

static int execute(struct plan *plan) {
  bool denied = false;
  for (char **file = plan->files; *file != NULL; file++) {
    execve(*file, plan->argv, plan->envp);
    if (errno == EACCES) denied = true;
    else if (errno != ENOENT && errno != ENOTDIR) break;
  }
  /* One that may not be executed says more than the many directories that have none. */
  if (denied && (errno == ENOENT || errno == ENOTDIR)) errno = EACCES;
  return fail(plan, "execve", plan->argv[0]);
}

static int child(void *data) {
  struct plan *plan = data;
  reset_signals();
  if (plan->session && setsid() < 0) _exit(fail(plan, "setsid", NULL));
  if (plan->cwd != NULL && chdir(plan->cwd) != 0) _exit(fail(plan, "chdir", plan->cwd));
  if (place_descriptors(plan) != 0) _exit(127);
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, NULL);
  execute(plan);
  _exit(127);
}

/* Returns the pid and stores its pidfd, or -1 with the failure in the plan; then nothing is left of the child. */
static pid_t start(struct plan *plan, int *pidfd) {
  char *stack = mmap(NULL, STACK_SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK, -1, 0);
  if (stack == MAP_FAILED) return fail(plan, "mmap", NULL);
  mprotect(stack, GUARD_SIZE, PROT_NONE);
  sigset_t all, before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  pid_t pid = clone(child, stack + STACK_SIZE, CLONE_VM | CLONE_VFORK | CLONE_PIDFD | SIGCHLD, plan, pidfd);
  if (pid < 0) fail(plan, "clone", NULL);
  pthread_sigmask(SIG_SETMASK, &before, NULL);
  munmap(stack, STACK_SIZE);
  if (pid < 0 || plan->error == 0) return pid;
  siginfo_t ended;
  while (waitid((idtype_t)P_PIDFD, (id_t)*pidfd, &ended, WEXITED) != 0 && errno == EINTR) continue;
  close(*pidfd);
  return -1;
}

static void free_texts(char **texts) {
  for (char **text = texts; text != NULL && *text != NULL; text++) free(*text);
  free(texts);
}

/* An array of strings, ended by NULL. NULL: an exception is pending. */
static char **texts_of(napi_env env, napi_value array) {
  uint32_t length;
  if (napi_get_array_length(env, array, &length) != napi_ok) {
    throw_type(env, "expected an array of strings");
    return NULL;
  }
  char **texts = calloc((size_t)length + 1, sizeof *texts);
  if (texts == NULL) {
    throw_errno(env, ENOMEM, "calloc", NULL);
    return NULL;
  }
  for (uint32_t index = 0; index < length; index++) {
    napi_value element;
    napi_handle_scope scope;
    napi_open_handle_scope(env, &scope);
    if (napi_get_element(env, array, index, &element) == napi_ok) texts[index] = text_of(env, element);
    napi_close_handle_scope(env, scope);
    if (texts[index] == NULL) {
      free_texts(texts);
      return NULL;
    }
  }
  return texts;
}

/* Own descriptors, or IGNORED. */
static bool descriptors_of(napi_env env, napi_value array, struct plan *plan) {
  uint32_t length;
  if (napi_get_array_length(env, array, &length) != napi_ok || length > DESCRIPTORS_MAX) {
    throw_type(env, "expected an array of at most 64 descriptors");
    return false;
  }
  plan->count = (int)length;
  plan->descriptors = calloc((size_t)length + 1, sizeof *plan->descriptors);
  if (plan->descriptors == NULL) {
    throw_errno(env, ENOMEM, "calloc", NULL);
    return false;
  }
  for (uint32_t index = 0; index < length; index++) {
    napi_value element;
    if (napi_get_element(env, array, index, &element) != napi_ok) return false;
    if (!int_of(env, element, &plan->descriptors[index])) return false;
    if (plan->descriptors[index] < IGNORED) {
      throw_type(env, "expected a descriptor, or -1");
      return false;
    }
  }
  return true;
}

static bool options_of(napi_env env, napi_value options, struct plan *plan) {
  napi_value value;
  napi_valuetype type;
  if (napi_get_named_property(env, options, "env", &value) != napi_ok) return false;
  plan->envp = texts_of(env, value);
  if (plan->envp == NULL) return false;
  if (napi_get_named_property(env, options, "descriptors", &value) != napi_ok) return false;
  if (!descriptors_of(env, value, plan)) return false;
  if (napi_get_named_property(env, options, "session", &value) != napi_ok) return false;
  if (napi_get_value_bool(env, value, &plan->session) != napi_ok) {
    throw_type(env, "expected a boolean");
    return false;
  }
  if (napi_get_named_property(env, options, "cwd", &value) != napi_ok) return false;
  if (napi_typeof(env, value, &type) != napi_ok || type == napi_undefined) return true;
  plan->cwd = text_of(env, value);
  return plan->cwd != NULL;
}

static bool plan_of(napi_env env, napi_callback_info info, struct plan *plan) {
  napi_value args[ARGS_MAX];
  if (!args_of(env, info, 3, args)) return false;
  plan->files = texts_of(env, args[0]);
  if (plan->files == NULL) return false;
  plan->argv = texts_of(env, args[1]);
  if (plan->argv == NULL) return false;
  if (plan->files[0] == NULL || plan->argv[0] == NULL) {
    throw_type(env, "expected a file and the program's name");
    return false;
  }
  return options_of(env, args[2], plan);
}

static napi_value spawn_process(napi_env env, napi_callback_info info) {
  struct plan plan = {0};
  napi_value result = NULL;
  if (plan_of(env, info, &plan)) {
    int pidfd = -1;
    pid_t pid = start(&plan, &pidfd);
    if (pid < 0) {
      throw_errno(env, plan.error, plan.syscall, plan.path);
    } else {
      napi_create_object(env, &result);
      set_int(env, result, "pid", pid);
      set_int(env, result, "pidfd", pidfd);
    }
  }
  free_texts(plan.files);
  free_texts(plan.argv);
  free_texts(plan.envp);
  free(plan.descriptors);
  free(plan.cwd);
  return result;
}

/* Waits for nobody else's child: the pidfd names exactly one. */
static napi_value reap_process(napi_env env, napi_callback_info info) {
  napi_value args[ARGS_MAX], result;
  int pidfd, status;
  if (!args_of(env, info, 1, args) || !int_of(env, args[0], &pidfd)) return NULL;
  siginfo_t ended;
  memset(&ended, 0, sizeof ended);
  do status = waitid((idtype_t)P_PIDFD, (id_t)pidfd, &ended, WEXITED | WNOHANG);
  while (status != 0 && errno == EINTR);
  if (status != 0) return throw_errno(env, errno, "waitid", NULL);
  if (ended.si_pid == 0) {
    napi_get_undefined(env, &result);
    return result;
  }
  bool exited = ended.si_code == CLD_EXITED;
  napi_create_object(env, &result);
  set_int(env, result, "code", exited ? ended.si_status : 0);
  set_int(env, result, "signal", exited ? 0 : ended.si_status);
  return result;
}

void init_spawn(napi_env env, napi_value exports) {
  define(env, exports, "spawnProcess", spawn_process);
  define(env, exports, "reapProcess", reap_process);
}
