#define _GNU_SOURCE
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include "keeper.h"

enum {
  /* Of input per packet. */
  INPUT_MAX = 64 * 1024,
  /* How long a reader that does not read holds up the end of the container. */
  STALLED_MS = 2000,
  /* Of one attacher before the next has its turn. */
  PACKETS_MAX = 64,
};

/* The first to come is the first. */
struct client *clients;
static struct client **clients_end = &clients;
int input_fd = -1;
/* Input that the container has no room for yet. While there is any, no more is read. */
static char *input_rest;
static size_t input_rest_length, input_rest_offset;

/* There is no descriptor left for one more; they are let in when it is looked again. */
bool is_crowded;

void let_in(int listener, bool types) {
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

void send_to_clients(const char *packet, size_t length) {
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

bool somebody_is_full(void) {
  for (struct client *client = clients; client != NULL; client = client->next)
    if (client->held != NULL)
      return true;
  return false;
}

/* @returns when the patience with somebody who is full ends, counted from `end` at least; 0 when nobody is. */
long long drop_the_stalled(long long now, long long end) {
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
      end_input();
      return length;
    }
    offset += (size_t) count;
  }
  return length;
}

void flush_input(void) {
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

bool input_waits(void) {
  return input_rest != NULL;
}

bool may_read(const struct client *client) {
  return !client->input_ended && (input_rest == NULL || !client->types);
}

/* What the first has typed before the second comes goes before it, so several packets are read. */
static void read_client(struct client *client) {
  for (int packets = 0; packets < PACKETS_MAX && may_read(client) && read_packet(client); packets++)
    ;
}

void serve_client(struct client *client, short events) {
  bool takes = (events & (POLLOUT | POLLERR | POLLHUP)) != 0;
  if (takes && client->held != NULL && send_packet(client, client->held, client->held_length))
    drop_held(client);
  if (may_read(client) && (events & (POLLIN | POLLERR | POLLHUP)) != 0)
    read_client(client);
  else if (client->input_ended && (events & (POLLHUP | POLLERR)) != 0)
    client->deaf = true;
}

void remove_the_gone(void) {
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
