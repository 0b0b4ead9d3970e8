#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include "keeper.h"

long long now_ms(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec * 1000LL + now.tv_nsec / 1000000;
}

void tell(const char *text, size_t length) {
  while (length > 0) {
    ssize_t count = write(REPORT, text, length);
    if (count < 0 && errno == EINTR)
      continue;
    if (count <= 0)
      return;
    text += count;
    length -= (size_t) count;
  }
}

void fail(const char *what, const char *name) {
  char text[512];
  int length = snprintf(text, sizeof(text), "container-keeper: %s %s: %s\n", what, name, strerror(errno));
  tell(text, (size_t) length < sizeof(text) ? (size_t) length : sizeof(text) - 1);
  /* A runtime that works already is killed with us, by PR_SET_PDEATHSIG. */
  _exit(125);
}

void make_non_blocking(int fd) {
  fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
}

int code_of(int status) {
  return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}
