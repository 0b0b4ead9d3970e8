/*
 * container-keeper --id ID --bundle DIRECTORY --exits DIRECTORY [--log FILE] [--memory-group DIRECTORY]
 *                  [--terminal] [--stdin once|kept] -- RUNTIME ARGUMENT...
 *
 * Runs an OCI runtime's `create` (with `--pid-file pidfile` and, for a terminal, `--console-socket console`, both relative
 * to the bundle, which becomes the working directory) and stays with the container's first process until it has ended:
 * it holds the process's stdio, writes its log, lets attachers in, tells when the kernel kills for want of memory, and
 * writes the exit code down. It needs no engine for any of that.
 *
 * Descriptor 3 is a pipe: the runtime may write its log there (/proc/self/fd/3), what it says on stderr follows when it
 * fails, and when the process is there, a NUL, its pid and a newline. Descriptors above 3 are none of ours.
 *
 * In the bundle:
 *   attach  SOCK_SEQPACKET. Each packet out is a byte that names the stream (2 stdout, 3 stderr) and what one read gave;
 *           each packet in is input. Shutting down or closing ends the input of the container with `--stdin once`.
 *   watch   the same, but what comes in is ignored, and hanging up means nothing.
 *   ctl     FIFO of lines: "1 ROWS COLUMNS" sets the terminal's size, "2 0 0" begins a new log file under the log's name.
 * In the directory of exits:
 *   ID      the exit code (128 + number when a signal ended it), its mtime the end; complete when it appears.
 *   ID.oom  made whenever the kernel killed in the group for want of memory.
 *
 * The log has the CRI's format: TIME stdout|stderr F|P TEXT, one line for each line of output, P for a part of one.
 * An attacher that does not read makes the container wait, and loses nothing. Only once the process has ended its
 * patience counts: after STALLED_MS what it has no room for is dropped.
 *
 * Why not conmon: one that hangs up while the container prints makes conmon read freed memory, and the container is lost
 * with it; it also takes 3 ms to load and ten times the memory. docs/adr/0018-a-monitor-of-our-own.md.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum {
  REPORT = 3,
  EARLY_MAX = 64,
  /* Of output per read, and so per packet and per line of the log. */
  READ_MAX = 32 * 1024,
  /* Of input per packet. */
  INPUT_MAX = 64 * 1024,
  LOG_BUFFER = 64 * 1024,
  BACKLOG = 128,
  /* How long a reader that does not read holds up the end of the container. */
  STALLED_MS = 2000,
  /* A terminal that nobody has open any more may be opened again: systemd does so. */
  HUNG_UP_MS = 100,
  CROWDED_MS = 100,
  /* Of one attacher before the next has its turn. */
  PACKETS_MAX = 64,
  /* Of what a process that does not belong to the container may still print after its end: as much as a pipe holds at most. */
  DRAIN_MAX = 1024 * 1024,
  EXIT_FILE_TRIES = 100,
  EXIT_FILE_RETRY_MS = 100,
};

struct options {
  const char *id;
  const char *bundle;
  const char *exits;
  const char *log;
  const char *memory_group;
  bool terminal;
  /* 0, or 'o' for once, 'k' for kept. */
  char stdin_mode;
  char **runtime;
};

/* stdout, stderr or the terminal. */
struct output {
  int fd;
  char stream;
  const char *name;
  /* A terminal that is looked at again at this time. */
  long long sleeps_until;
};

struct client {
  int fd;
  /* It came in by `attach`: its packets are input. */
  bool types;
  bool input_ended;
  /* It gets no more output: it has gone, or did not read for too long. */
  bool deaf;
  /* The packet that it has had no room for, since a time of now_ms(). */
  char *held;
  size_t held_length;
  long long held_since;
  struct client *next;
};

static struct options options;
static struct output outputs[2] = {{-1, 2, "stdout", 0}, {-1, 3, "stderr", 0}};
/* The first to come is the first. */
static struct client *clients, **clients_end = &clients;
/* Where input goes: a pipe's end, or the terminal (then it is outputs[0].fd, too). */
static int input_fd = -1;
/* Input that the container has no room for yet. While there is any, no more is read. */
static char *input_rest;
static size_t input_rest_length, input_rest_offset;
static int attach_fd = -1, watch_fd = -1, control_fd = -1, console_fd = -1, signal_fd = -1, memory_fd = -1;
static int log_fd = -1;
static bool log_was_cut;
static struct winsize wanted_size;
static bool has_wanted_size;
static sigset_t mask_before;

static pid_t runtime_pid, kept_pid;
static int runtime_status = -1, kept_code = -1;
static struct timespec ended_at;
static struct { pid_t pid; int code; } early[EARLY_MAX];
static int early_count;

static long long now_ms(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec * 1000LL + now.tv_nsec / 1000000;
}

static void tell(const char *text, size_t length) {
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

static void fail(const char *what, const char *name) {
  char text[512];
  int length = snprintf(text, sizeof(text), "container-keeper: %s %s: %s\n", what, name, strerror(errno));
  tell(text, (size_t) length < sizeof(text) ? (size_t) length : sizeof(text) - 1);
  /* A runtime that works already is killed with us, by PR_SET_PDEATHSIG. */
  _exit(125);
}

static void make_non_blocking(int fd) {
  fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
}

static int code_of(int status) {
  return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

/* ---- The log ---- */

static char log_buffer[LOG_BUFFER];
static size_t log_length;

static void open_log(void) {
  if (options.log == NULL)
    return;
  log_fd = open(options.log, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0640);
  if (log_fd < 0)
    fail("cannot open log", options.log);
}

/* A new file takes the log's name; whoever reads the old one has all of it by then. On failure the old one goes on. */
static void reopen_log(void) {
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

static void write_log(const struct output *output, const char *bytes, size_t length) {
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

/* ---- Attachers ---- */

/* There is no descriptor left for one more; they are let in when it is looked again. */
static bool is_crowded;

static void let_in(int listener, bool types) {
  while (!is_crowded) {
    int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (fd < 0) {
      is_crowded = errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM;
      return;
    }
    struct client *client = calloc(1, sizeof(*client));
    if (client == NULL) {
      close(fd);
      return;
    }
    client->fd = fd;
    client->types = types;
    *clients_end = client;
    clients_end = &client->next;
  }
}

static void drop_held(struct client *client) {
  free(client->held);
  client->held = NULL;
}

/* @returns whether nothing more is to be sent: it was taken, or nobody is there. */
static bool send_packet(struct client *client, const char *packet, size_t length) {
  for (;;) {
    if (send(client->fd, packet, length, MSG_DONTWAIT | MSG_NOSIGNAL) >= 0)
      return true;
    if (errno == EINTR)
      continue;
    if (errno == EAGAIN)
      return false;
    client->deaf = true;
    return true;
  }
}

static void send_to_clients(const char *packet, size_t length) {
  for (struct client *client = clients; client != NULL; client = client->next) {
    if (client->deaf || send_packet(client, packet, length))
      continue;
    client->held = malloc(length);
    if (client->held == NULL) {
      client->deaf = true;
      continue;
    }
    memcpy(client->held, packet, length);
    client->held_length = length;
    client->held_since = now_ms();
  }
}

static bool somebody_is_full(void) {
  for (struct client *client = clients; client != NULL; client = client->next)
    if (client->held != NULL)
      return true;
  return false;
}

/* @returns when the patience with somebody who is full ends, counted from `end` at least; 0 when nobody is. */
static long long drop_the_stalled(long long now, long long end) {
  long long next = 0;
  for (struct client *client = clients; client != NULL; client = client->next) {
    if (client->held == NULL)
      continue;
    long long until = (client->held_since > end ? client->held_since : end) + STALLED_MS;
    if (until <= now) {
      client->deaf = true;
      drop_held(client);
    } else if (next == 0 || until < next)
      next = until;
  }
  return next;
}

/* ---- Input ---- */

static void end_input(void) {
  /* A terminal has no end of input, but for a character that the user types. */
  if (options.terminal || input_fd < 0)
    return;
  close(input_fd);
  input_fd = -1;
}

/* @returns how much was taken: all of it also when nobody will ever read it. */
static size_t put_input(const char *bytes, size_t length) {
  size_t offset = 0;
  while (input_fd >= 0 && offset < length) {
    ssize_t count = write(input_fd, bytes + offset, length - offset);
    if (count < 0 && errno == EINTR)
      continue;
    if (count < 0 && errno == EAGAIN)
      return offset;
    if (count < 0) {
      if (!options.terminal)
        end_input();
      return length;
    }
    offset += (size_t) count;
  }
  return length;
}

static void flush_input(void) {
  input_rest_offset += put_input(input_rest + input_rest_offset, input_rest_length - input_rest_offset);
  if (input_rest_offset < input_rest_length)
    return;
  free(input_rest);
  input_rest = NULL;
}

static void take_input(const char *bytes, size_t length) {
  size_t taken = put_input(bytes, length);
  if (taken == length)
    return;
  input_rest = malloc(length - taken);
  if (input_rest == NULL)
    return;
  memcpy(input_rest, bytes + taken, length - taken);
  input_rest_length = length - taken;
  input_rest_offset = 0;
}

/* Reads one packet of a client, or its end. @returns whether there may be more. */
static bool read_packet(struct client *client) {
  static char packet[INPUT_MAX];
  ssize_t count = recv(client->fd, packet, sizeof(packet), MSG_DONTWAIT);
  /* It closed while it had something of ours unread: then its end comes with the next call. */
  if (count < 0 && errno == ECONNRESET)
    count = recv(client->fd, packet, sizeof(packet), MSG_DONTWAIT);
  if (count < 0 && (errno == EAGAIN || errno == EINTR))
    return false;
  if (count > 0) {
    if (client->types)
      take_input(packet, (size_t) count);
    return true;
  }
  client->input_ended = true;
  if (client->types && options.stdin_mode == 'o')
    end_input();
  return false;
}

static bool may_read(const struct client *client) {
  return !client->input_ended && (input_rest == NULL || !client->types);
}

/* What the first has typed before the second comes goes before it, so several packets are read. */
static void read_client(struct client *client) {
  for (int packets = 0; packets < PACKETS_MAX && may_read(client) && read_packet(client); packets++)
    ;
}

/* ---- Output ---- */

static void close_output(struct output *output) {
  close(output->fd);
  output->fd = -1;
}

/* @returns bytes read; 0 when there is nothing now, or never again. */
static long read_output(struct output *output) {
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
static bool drain(void) {
  static long left[2] = {DRAIN_MAX, DRAIN_MAX};
  for (int i = 0; i < 2; i++)
    while (outputs[i].fd >= 0 && left[i] > 0 && !somebody_is_full()) {
      long count = read_output(&outputs[i]);
      left[i] = count == 0 ? 0 : left[i] - count;
    }
  return !somebody_is_full();
}

/* ---- The terminal and its size ---- */

static void set_size(void) {
  if (has_wanted_size && options.terminal && outputs[0].fd >= 0)
    ioctl(outputs[0].fd, TIOCSWINSZ, &wanted_size);
}

/* The runtime sends the terminal's master. */
static void receive_terminal(void) {
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

static void read_control(void) {
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

/* ---- Out of memory ---- */

static long long kills_seen;
/* cgroup v1 tells just before it kills and counts, and where the killed was in a group below it counts there. */
static bool tells_before_count, has_told;

/* How often the kernel has killed in the group; -1 when that is not told. */
static long long count_kills(void) {
  static const char *const NAMES[] = {"memory.events", "memory.oom_control"};
  for (int i = 0; i < 2; i++) {
    char path[4096], text[1024];
    if (snprintf(path, sizeof(path), "%s/%s", options.memory_group, NAMES[i]) >= (int) sizeof(path))
      return -1;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
      continue;
    ssize_t count = read(fd, text, sizeof(text) - 1);
    close(fd);
    if (count < 0)
      return -1;
    text[count] = '\0';
    for (char *line = text; line != NULL; line = strchr(line, '\n') == NULL ? NULL : strchr(line, '\n') + 1) {
      long long kills;
      if (sscanf(line, "oom_kill %lld", &kills) == 1)
        return kills;
    }
    return -1;
  }
  return -1;
}

static void tell_out_of_memory(void) {
  char path[4096];
  if (snprintf(path, sizeof(path), "%s/%s.oom", options.exits, options.id) >= (int) sizeof(path))
    return;
  int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  if (fd < 0)
    return;
  /* Whoever watches sees a write also where the file is there still. */
  write(fd, "\n", 1);
  close(fd);
  has_told = true;
}

static void look_at_memory(void) {
  char event[4096];
  bool is_told = memory_fd >= 0 && read(memory_fd, event, sizeof(event)) > 0;
  if (tells_before_count && (is_told || has_told)) {
    if (is_told)
      tell_out_of_memory();
    return;
  }
  long long kills = count_kills();
  if (kills <= kills_seen)
    return;
  kills_seen = kills;
  tell_out_of_memory();
}

/* cgroup v2 changes a file that can be watched; v1 counts up an eventfd. */
static void watch_memory(void) {
  char path[4096], text[64];
  if (options.memory_group == NULL)
    return;
  if (snprintf(path, sizeof(path), "%s/memory.events", options.memory_group) < (int) sizeof(path) && access(path, F_OK) == 0) {
    memory_fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
    if (memory_fd >= 0 && inotify_add_watch(memory_fd, path, IN_MODIFY) < 0) {
      close(memory_fd);
      memory_fd = -1;
    }
  } else {
    tells_before_count = true;
    snprintf(path, sizeof(path), "%s/memory.oom_control", options.memory_group);
    int control = open(path, O_RDONLY | O_CLOEXEC);
    snprintf(path, sizeof(path), "%s/cgroup.event_control", options.memory_group);
    int registry = open(path, O_WRONLY | O_CLOEXEC);
    if (control >= 0 && registry >= 0) {
      memory_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
      int length = snprintf(text, sizeof(text), "%d %d", memory_fd, control);
      if (memory_fd >= 0 && write(registry, text, (size_t) length) < 0) {
        close(memory_fd);
        memory_fd = -1;
      }
    }
    if (control >= 0)
      close(control);
    if (registry >= 0)
      close(registry);
  }
  /* It may have happened before. */
  look_at_memory();
}

/* ---- Children ---- */

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
static void reap(void) {
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
static bool runtime_has_ended(void) {
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

static void start_runtime(void) {
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

/* ---- Sockets and files ---- */

static int listen_at(const char *name, int type, int flags) {
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  strcpy(address.sun_path, name);
  int fd = socket(AF_UNIX, type | SOCK_CLOEXEC | flags, 0);
  unlink(name);
  /* The mode of the descriptor becomes the mode of the name. */
  if (fd < 0 || fchmod(fd, 0700) < 0 || bind(fd, (struct sockaddr *) &address, sizeof(address)) < 0 || listen(fd, BACKLOG) < 0)
    fail("cannot listen at", name);
  return fd;
}

static void open_control(void) {
  unlink("ctl");
  if (mkfifo("ctl", 0600) < 0)
    fail("cannot make", "ctl");
  /* For both, so that it never comes to an end. */
  control_fd = open("ctl", O_RDWR | O_NONBLOCK | O_CLOEXEC);
  if (control_fd < 0)
    fail("cannot open", "ctl");
}

/* @returns whether the code is written down. */
static bool write_exit_file(void) {
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

static void on_signal(int number) {
  (void) number;
}

static void prepare_signals(void) {
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
static void live_long(void) {
  int fd = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);
  if (fd < 0)
    return;
  write(fd, "-1000", 5);
  close(fd);
}

static void read_options(int argc, char **argv) {
  static const struct option LONG[] = {
    {"id", required_argument, NULL, 'n'},
    {"bundle", required_argument, NULL, 'b'},
    {"exits", required_argument, NULL, 'e'},
    {"log", required_argument, NULL, 'l'},
    {"memory-group", required_argument, NULL, 'm'},
    {"terminal", no_argument, NULL, 't'},
    {"stdin", required_argument, NULL, 'i'},
    {NULL, 0, NULL, 0},
  };
  int option;
  bool wrong = false;
  while ((option = getopt_long(argc, argv, "+", LONG, NULL)) >= 0) {
    if (option == 'n')
      options.id = optarg;
    else if (option == 'b')
      options.bundle = optarg;
    else if (option == 'e')
      options.exits = optarg;
    else if (option == 'l')
      options.log = optarg;
    else if (option == 'm')
      options.memory_group = optarg;
    else if (option == 't')
      options.terminal = true;
    else if (option == 'i' && (strcmp(optarg, "once") == 0 || strcmp(optarg, "kept") == 0))
      options.stdin_mode = optarg[0];
    else
      wrong = true;
  }
  options.runtime = argv + optind;
  if (!wrong && optind < argc && options.id != NULL && options.bundle != NULL && options.exits != NULL)
    return;
  fputs("usage: container-keeper --id ID --bundle DIRECTORY --exits DIRECTORY [--log FILE] [--memory-group DIRECTORY]\n"
        "                        [--terminal] [--stdin once|kept] -- RUNTIME ARGUMENT...\n", stderr);
  exit(125);
}

/* ---- The loop ---- */

/* Places in `entries`; clients follow in their order. */
enum { AT_CHILDREN, AT_ATTACH, AT_WATCH, AT_CONTROL, AT_CONSOLE, AT_MEMORY, AT_OUTPUT, AT_INPUT = AT_OUTPUT + 2, AT_CLIENTS };

static struct pollfd *entries;
static size_t entries_count, entries_room;

static void add_entry(int fd, short events) {
  if (entries_count == entries_room) {
    entries_room = entries_room == 0 ? 32 : 2 * entries_room;
    entries = realloc(entries, entries_room * sizeof(*entries));
    if (entries == NULL)
      abort();
  }
  entries[entries_count++] = (struct pollfd) {.fd = fd, .events = events};
}

static long long sooner(long long one, long long other) {
  return one != 0 && (other == 0 || one < other) ? one : other;
}

/* What of a client is waited for. A descriptor of -1 is passed over, or its hang-up would be told again and again. */
static void add_client(const struct client *client) {
  short events = (short) ((may_read(client) ? POLLIN : 0) | (client->held != NULL ? POLLOUT : 0));
  /* After its half-close only a hang-up is waited for; while its input has to wait, not even that. */
  bool waits = events != 0 || client->input_ended;
  add_entry(waits ? client->fd : -1, events);
}

/* Waits until something is to be done, or until `wake_at`, unless that is 0. */
static void wait_for_events(bool reads_output, long long now, long long wake_at) {
  entries_count = 0;
  add_entry(signal_fd, POLLIN);
  add_entry(is_crowded ? -1 : attach_fd, POLLIN);
  add_entry(is_crowded ? -1 : watch_fd, POLLIN);
  add_entry(control_fd, POLLIN);
  add_entry(console_fd, POLLIN);
  add_entry(memory_fd, POLLIN);
  for (int i = 0; i < 2; i++) {
    bool sleeps = outputs[i].sleeps_until > now;
    if (reads_output && sleeps)
      wake_at = sooner(outputs[i].sleeps_until, wake_at);
    add_entry(reads_output && !sleeps ? outputs[i].fd : -1, POLLIN);
  }
  add_entry(input_rest == NULL ? -1 : input_fd, POLLOUT);
  for (const struct client *client = clients; client != NULL; client = client->next)
    add_client(client);
  if (is_crowded)
    wake_at = sooner(now + CROWDED_MS, wake_at);
  is_crowded = false;
  int timeout = wake_at == 0 ? -1 : wake_at > now ? (int) (wake_at - now) : 0;
  if (poll(entries, entries_count, timeout) >= 0)
    return;
  if (errno != EINTR && errno != ENOMEM)
    abort();
  for (size_t i = 0; i < entries_count; i++)
    entries[i].revents = 0;
}

static void serve_client(struct client *client, short events) {
  bool takes = (events & (POLLOUT | POLLERR | POLLHUP)) != 0;
  if (takes && client->held != NULL && send_packet(client, client->held, client->held_length))
    drop_held(client);
  if (may_read(client) && (events & (POLLIN | POLLERR | POLLHUP)) != 0)
    read_client(client);
  else if (client->input_ended && (events & (POLLHUP | POLLERR)) != 0)
    client->deaf = true;
}

static void remove_the_gone(void) {
  struct client **link = &clients;
  while (*link != NULL) {
    struct client *client = *link;
    if (!client->input_ended || !client->deaf) {
      link = &client->next;
      continue;
    }
    *link = client->next;
    if (client->next == NULL)
      clients_end = link;
    drop_held(client);
    close(client->fd);
    free(client);
  }
}

static void serve_events(void) {
  const struct pollfd *entry = entries + AT_CLIENTS, *last = entries + entries_count;
  /* Whoever waits at the door came before the output that waits, too. */
  if (entries[AT_ATTACH].revents != 0)
    let_in(attach_fd, true);
  if (entries[AT_WATCH].revents != 0)
    let_in(watch_fd, false);
  if (entries[AT_CONTROL].revents != 0)
    read_control();
  if (entries[AT_CONSOLE].revents != 0 && console_fd >= 0)
    receive_terminal();
  if (entries[AT_MEMORY].revents != 0)
    look_at_memory();
  for (struct client *client = clients; entry < last; client = client->next)
    serve_client(client, (entry++)->revents);
  if (entries[AT_INPUT].revents != 0 && input_rest != NULL)
    flush_input();
  for (int i = 0; i < 2; i++)
    if (entries[AT_OUTPUT + i].revents != 0 && outputs[i].fd >= 0 && !somebody_is_full())
      read_output(&outputs[i]);
  remove_the_gone();
  if (entries[AT_CHILDREN].revents != 0)
    reap();
}

/* @returns whether the container's process is there. */
static bool make_process(void) {
  start_runtime();
  live_long();
  while (runtime_status == -1) {
    /* What the runtime prints is left for the report. */
    wait_for_events(false, now_ms(), 0);
    serve_events();
  }
  if (console_fd >= 0)
    receive_terminal();
  if (!runtime_has_ended())
    return false;
  watch_memory();
  return true;
}

static void stay_until_its_end(void) {
  while (kept_code < 0) {
    wait_for_events(!somebody_is_full(), now_ms(), 0);
    serve_events();
  }
  for (long long end = now_ms();;) {
    let_in(attach_fd, true);
    let_in(watch_fd, false);
    if (drain())
      return;
    long long now = now_ms(), wake_at = drop_the_stalled(now, end);
    if (wake_at == 0)
      continue;
    wait_for_events(false, now, wake_at);
    serve_events();
  }
}

int main(int argc, char **argv) {
  read_options(argc, argv);
  if (chdir(options.bundle) < 0)
    fail("cannot enter", options.bundle);
  if (prctl(PR_SET_CHILD_SUBREAPER, 1) < 0)
    fail("cannot be", "subreaper");
  prepare_signals();
  open_log();
  attach_fd = listen_at("attach", SOCK_SEQPACKET, SOCK_NONBLOCK);
  watch_fd = listen_at("watch", SOCK_SEQPACKET, SOCK_NONBLOCK);
  open_control();
  unlink("pidfile");
  if (options.terminal)
    console_fd = listen_at("console", SOCK_STREAM, SOCK_NONBLOCK);
  if (!make_process())
    return 1;
  stay_until_its_end();
  if (options.memory_group != NULL)
    look_at_memory();
  for (int tries = 0; !write_exit_file() && tries < EXIT_FILE_TRIES; tries++)
    poll(NULL, 0, EXIT_FILE_RETRY_MS);
  return 0;
}
