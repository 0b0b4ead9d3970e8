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
 * with it; it also takes longer to load, and four times the memory. docs/adr/0018-a-monitor-of-our-own.md.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <getopt.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>
#include "keeper.h"

enum { BACKLOG = 128, CROWDED_MS = 100, EXIT_FILE_TRIES = 100, EXIT_FILE_RETRY_MS = 100 };

struct options options;
static int attach_fd = -1, watch_fd = -1;

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
  add_entry(input_waits() ? input_fd : -1, POLLOUT);
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
  if (entries[AT_MEMORY].revents != 0 || (memory_again_at != 0 && now_ms() >= memory_again_at))
    look_at_memory(false);
  for (struct client *client = clients; entry < last; client = client->next)
    serve_client(client, (entry++)->revents);
  if (entries[AT_INPUT].revents != 0 && input_waits())
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
    wait_for_events(!somebody_is_full(), now_ms(), memory_again_at);
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
    look_at_memory(true);
  for (int tries = 0; !write_exit_file() && tries < EXIT_FILE_TRIES; tries++)
    poll(NULL, 0, EXIT_FILE_RETRY_MS);
  return 0;
}
