#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include "keeper.h"

enum { EARLY_MAX = 64 };

int signal_fd = -1, runtime_status = -1, kept_code = -1;
static sigset_t mask_before;
static pid_t runtime_pid, kept_pid;
static struct timespec ended_at;
static struct { pid_t pid; int code; } early[EARLY_MAX];
static int early_count;

static void on_signal(int number) {
  (void) number;
}

void prepare_signals(void) {
  /* Handled, not ignored: what is ignored stays ignored in the programs that are run. */
  struct sigaction nothing = {.sa_handler = on_signal, .sa_flags = SA_RESTART};
  for (int i = 0; i < 4; i++)
    sigaction((int[]) {SIGPIPE, SIGTERM, SIGINT, SIGHUP}[i], &nothing, NULL);
  sigset_t children;
  sigemptyset(&children);
  sigaddset(&children, SIGCHLD);
  sigprocmask(SIG_BLOCK, &children, &mask_before);
  signal_fd = signalfd(-1, &children, SFD_CLOEXEC | SFD_NONBLOCK);
  if (signal_fd < 0)
    fail("cannot make", "signalfd");
}

/* Who is out of memory is the container, not its keeper. After the runtime was started, which would inherit it. */
void live_long(void) {
  int fd = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);
  if (fd < 0)
    return;
  write(fd, "-1000", 5);
  close(fd);
}

/* The pid that the runtime wrote before it ended, or 0. */
static pid_t read_pid(void) {
  char text[16];
  int fd = open("pidfile", O_RDONLY | O_CLOEXEC);
  if (fd < 0)
    return 0;
  ssize_t length = read(fd, text, sizeof(text) - 1);
  close(fd);
  if (length <= 0)
    return 0;
  text[length] = '\0';
  return (pid_t) strtol(text, NULL, 10);
}

static void kept_has_ended(int code) {
  kept_code = code;
  clock_gettime(CLOCK_REALTIME, &ended_at);
}

/* Collects every child that has ended: also what the container leaves behind, for we are its reaper. */
void reap(void) {
  struct signalfd_siginfo information[16];
  read(signal_fd, information, sizeof(information));
  for (;;) {
    int status;
    pid_t pid = waitpid(-1, &status, WNOHANG);
    if (pid < 0 && errno == EINTR)
      continue;
    if (pid <= 0)
      return;
    if (pid == runtime_pid)
      runtime_status = status;
    else if (pid == kept_pid)
      kept_has_ended(code_of(status));
    else if (kept_pid == 0 && early_count < EARLY_MAX) {
      early[early_count].pid = pid;
      early[early_count++].code = code_of(status);
    }
  }
}

/* What the runtime, whose stderr is the container's, has said. */
static void tell_words_of_runtime(void) {
  char words[8192];
  for (int i = 1; i >= 0; i--) {
    ssize_t count;
    while (!options.terminal && outputs[i].fd >= 0 && (count = read(outputs[i].fd, words, sizeof(words))) > 0)
      tell(words, (size_t) count);
  }
}

/* @returns whether the container's process is there. */
bool runtime_has_ended(void) {
  pid_t pid = runtime_status == 0 ? read_pid() : 0;
  if (pid <= 0) {
    tell_words_of_runtime();
    unlink("pidfile");
    return false;
  }
  char text[16];
  int length = snprintf(text, sizeof(text), "%c%d\n", '\0', (int) pid);
  kept_pid = pid;
  tell(text, (size_t) length);
  close(REPORT);
  for (int i = 0; i < early_count; i++)
    if (early[i].pid == pid)
      kept_has_ended(early[i].code);
  return true;
}

void start_runtime(void) {
  int in[2] = {-1, -1}, out[2] = {-1, -1}, err[2] = {-1, -1};
  int null = open("/dev/null", O_RDWR | O_CLOEXEC);
  if (null < 0)
    fail("cannot open", "/dev/null");
  if (!options.terminal) {
    if (pipe2(out, O_CLOEXEC) < 0 || pipe2(err, O_CLOEXEC) < 0 || (options.stdin_mode != 0 && pipe2(in, O_CLOEXEC) < 0))
      fail("cannot make", "pipes");
    outputs[0].fd = out[0];
    outputs[1].fd = err[0];
    input_fd = in[1];
    make_non_blocking(out[0]);
    make_non_blocking(err[0]);
    if (input_fd >= 0)
      make_non_blocking(input_fd);
  }
  runtime_pid = vfork();
  if (runtime_pid < 0)
    fail("cannot start", options.runtime[0]);
  if (runtime_pid == 0) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    sigprocmask(SIG_SETMASK, &mask_before, NULL);
    dup2(in[0] < 0 ? null : in[0], 0);
    dup2(out[1] < 0 ? null : out[1], 1);
    /* With a terminal nothing but the runtime itself ever writes there. */
    dup2(err[1] < 0 ? REPORT : err[1], 2);
    execv(options.runtime[0], options.runtime);
    dprintf(2, "container-keeper: cannot run %s: %s\n", options.runtime[0], strerror(errno));
    _exit(127);
  }
  close(null);
  for (int i = 0; i < 3; i++) {
    int fd = (int[]) {in[0], out[1], err[1]}[i];
    if (fd >= 0)
      close(fd);
  }
}

/* @returns whether the code is written down. */
bool write_exit_file(void) {
  char path[4096], fresh[4096], text[16];
  if (snprintf(path, sizeof(path), "%s/%s", options.exits, options.id) >= (int) sizeof(path) ||
      snprintf(fresh, sizeof(fresh), "%s/.%s.new", options.exits, options.id) >= (int) sizeof(fresh))
    return true;
  int fd = open(fresh, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  if (fd < 0)
    return false;
  int length = snprintf(text, sizeof(text), "%d", kept_code);
  struct timespec times[2] = {ended_at, ended_at};
  bool written = write(fd, text, (size_t) length) == length && futimens(fd, times) == 0;
  close(fd);
  if (written && rename(fresh, path) == 0)
    return true;
  unlink(fresh);
  return false;
}
