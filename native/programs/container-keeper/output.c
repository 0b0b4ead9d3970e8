#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>
#include "keeper.h"

enum {
  /* Per read, and so per packet and per line of the log. */
  READ_MAX = 32 * 1024,
  /* A terminal that nobody has open any more may be opened again: systemd does so. */
  HUNG_UP_MS = 100,
  /* Of what a process that does not belong to the container may still print after its end: as much as a pipe holds at most. */
  DRAIN_MAX = 1024 * 1024,
};

struct output outputs[2] = {{-1, 2, "stdout", 0}, {-1, 3, "stderr", 0}};
int console_fd = -1, control_fd = -1;
static struct winsize wanted_size;
static bool has_wanted_size;

static void close_output(struct output *output) {
  close(output->fd);
  output->fd = -1;
}

/* @returns bytes read; 0 when there is nothing now, or never again. */
long read_output(struct output *output) {
  static char packet[1 + READ_MAX];
  ssize_t count;
  while ((count = read(output->fd, packet + 1, READ_MAX)) < 0 && errno == EINTR)
    ;
  if (count < 0 && errno == EAGAIN)
    return 0;
  if (count <= 0) {
    if (!options.terminal)
      close_output(output);
    else
      output->sleeps_until = now_ms() + HUNG_UP_MS;
    return 0;
  }
  packet[0] = output->stream;
  write_log(output, packet + 1, (size_t) count);
  send_to_clients(packet, 1 + (size_t) count);
  return count;
}

/* Reads what the ended process has left, until an attacher is full. @returns whether it and its attachers are done. */
bool drain(void) {
  static long left[2] = {DRAIN_MAX, DRAIN_MAX};
  for (int i = 0; i < 2; i++)
    while (outputs[i].fd >= 0 && left[i] > 0 && !somebody_is_full()) {
      long count = read_output(&outputs[i]);
      left[i] = count == 0 ? 0 : left[i] - count;
    }
  return !somebody_is_full();
}

static void set_size(void) {
  if (has_wanted_size && options.terminal && outputs[0].fd >= 0)
    ioctl(outputs[0].fd, TIOCSWINSZ, &wanted_size);
}

/* The runtime sends the terminal's master. */
void receive_terminal(void) {
  int connection = accept4(console_fd, NULL, NULL, SOCK_CLOEXEC);
  if (connection < 0)
    return;
  char byte[256];
  union { struct cmsghdr header; char room[CMSG_SPACE(sizeof(int))]; } control;
  struct iovec vector = {byte, sizeof(byte)};
  struct msghdr message = {.msg_iov = &vector, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof(control)};
  ssize_t count;
  while ((count = recvmsg(connection, &message, MSG_CMSG_CLOEXEC)) < 0 && errno == EINTR)
    ;
  struct cmsghdr *header = count < 0 ? NULL : CMSG_FIRSTHDR(&message);
  if (header != NULL && header->cmsg_level == SOL_SOCKET && header->cmsg_type == SCM_RIGHTS) {
    memcpy(&outputs[0].fd, CMSG_DATA(header), sizeof(int));
    make_non_blocking(outputs[0].fd);
    if (options.stdin_mode != 0)
      input_fd = outputs[0].fd;
    set_size();
  }
  close(connection);
  close(console_fd);
  console_fd = -1;
  unlink("console");
}

void read_control(void) {
  static char text[1024];
  static size_t length;
  ssize_t count = read(control_fd, text + length, sizeof(text) - 1 - length);
  if (count <= 0)
    return;
  length += (size_t) count;
  text[length] = '\0';
  char *line = text;
  for (char *end = strchr(line, '\n'); end != NULL; end = strchr(line, '\n')) {
    int what, rows, columns;
    *end = '\0';
    if (sscanf(line, "%d %d %d", &what, &rows, &columns) == 3) {
      if (what == 1 && rows >= 0 && rows <= 0xffff && columns >= 0 && columns <= 0xffff) {
        wanted_size = (struct winsize) {.ws_row = (unsigned short) rows, .ws_col = (unsigned short) columns};
        has_wanted_size = true;
        set_size();
      }
      if (what == 2)
        reopen_log();
    }
    line = end + 1;
  }
  length -= (size_t) (line - text);
  memmove(text, line, length);
  /* No line is so long. */
  if (length == sizeof(text) - 1)
    length = 0;
}

void open_control(void) {
  unlink("ctl");
  if (mkfifo("ctl", 0600) < 0)
    fail("cannot make", "ctl");
  /* For both, so that it never comes to an end. */
  control_fd = open("ctl", O_RDWR | O_NONBLOCK | O_CLOEXEC);
  if (control_fd < 0)
    fail("cannot open", "ctl");
}
