#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include "keeper.h"

enum { LOG_BUFFER = 64 * 1024 };

static int log_fd = -1;
static bool log_was_cut;
static char log_buffer[LOG_BUFFER];
static size_t log_length;

void open_log(void) {
  if (options.log == NULL)
    return;
  log_fd = open(options.log, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0640);
  if (log_fd < 0)
    fail("cannot open log", options.log);
}

/* A new file takes the log's name; whoever reads the old one has all of it by then. On failure the old one goes on. */
void reopen_log(void) {
  char path[4096];
  if (options.log == NULL || snprintf(path, sizeof(path), "%s.tmp", options.log) >= (int) sizeof(path))
    return;
  int fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_TRUNC | O_CLOEXEC, 0640);
  if (fd < 0)
    return;
  if (rename(path, options.log) < 0) {
    close(fd);
    unlink(path);
    return;
  }
  close(log_fd);
  log_fd = fd;
  log_was_cut = false;
}

/* A full disk loses lines, never the container; the line that it cut is ended before the next is begun. */
static void flush_log(void) {
  size_t offset = 0;
  if (log_was_cut && log_length > 0 && write(log_fd, "\n", 1) == 1)
    log_was_cut = false;
  while (!log_was_cut && offset < log_length) {
    ssize_t count = write(log_fd, log_buffer + offset, log_length - offset);
    if (count < 0 && errno == EINTR)
      continue;
    if (count <= 0)
      log_was_cut = true;
    else
      offset += (size_t) count;
  }
  log_length = 0;
}

static void put_log(const char *bytes, size_t length) {
  if (log_length + length > sizeof(log_buffer))
    flush_log();
  memcpy(log_buffer + log_length, bytes, length);
  log_length += length;
}

void write_log(const struct output *output, const char *bytes, size_t length) {
  if (log_fd < 0)
    return;
  struct timespec now;
  struct tm utc;
  char head[64];
  clock_gettime(CLOCK_REALTIME, &now);
  gmtime_r(&now.tv_sec, &utc);
  size_t head_length = strftime(head, sizeof(head), "%Y-%m-%dT%H:%M:%S", &utc);
  head_length += (size_t) snprintf(head + head_length, sizeof(head) - head_length, ".%09ld+00:00 %s F ", now.tv_nsec, output->name);
  while (length > 0) {
    const char *newline = memchr(bytes, '\n', length);
    size_t line = newline == NULL ? length : (size_t) (newline - bytes) + 1;
    head[head_length - 2] = newline == NULL ? 'P' : 'F';
    put_log(head, head_length);
    put_log(bytes, line);
    if (newline == NULL)
      put_log("\n", 1);
    bytes += line;
    length -= line;
  }
  flush_log();
}
