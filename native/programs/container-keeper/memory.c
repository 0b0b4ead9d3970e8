#define _GNU_SOURCE
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <unistd.h>
#include "keeper.h"

/* How long the kernel may take from its word to its count. */
enum { COUNTED_MS = 50 };

int memory_fd = -1;
long long memory_again_at;
static long long kills_seen;
/*
 * cgroup v1 gives its word just before it kills and counts, sometimes twice for one kill, and what it kills in a group below it counts
 * there. So after its word the count is looked at again, and only where it never grew is the word itself believed, once.
 */
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

void look_at_memory(bool is_last) {
  char event[4096];
  bool has_word = memory_fd >= 0 && read(memory_fd, event, sizeof(event)) > 0 && tells_before_count;
  bool had_word = memory_again_at != 0;
  long long kills = count_kills();
  if (kills > kills_seen)
    tell_out_of_memory();
  else if ((is_last ? has_word || had_word : had_word) && !has_told)
    tell_out_of_memory();
  kills_seen = kills > kills_seen ? kills : kills_seen;
  memory_again_at = has_word ? now_ms() + COUNTED_MS : 0;
}

/* cgroup v2 changes a file that can be watched; v1 counts up an eventfd. */
void watch_memory(void) {
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
  look_at_memory(false);
}
