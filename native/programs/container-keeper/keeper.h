/* What the parts of the keeper know of each other. It is one program with one loop: main.c, whose head says what it is for. */
#ifndef KEEPER_H
#define KEEPER_H

#include <stdbool.h>
#include <stddef.h>

/* The descriptor on which the runtime and we tell how it went. */
enum { REPORT = 3 };

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

extern struct options options;

/* common.c */
long long now_ms(void);
void tell(const char *text, size_t length);
void fail(const char *what, const char *name);
void make_non_blocking(int fd);
int code_of(int status);

/* log.c: the log */
void open_log(void);
void reopen_log(void);
void write_log(const struct output *output, const char *bytes, size_t length);

/* attachers.c: who is let in, and the input they type. Where input goes is a pipe, or the terminal of outputs[0], or -1. */
extern struct client *clients;
extern int input_fd;
extern bool is_crowded;
void let_in(int listener, bool types);
void send_to_clients(const char *packet, size_t length);
bool somebody_is_full(void);
long long drop_the_stalled(long long now, long long end);
bool input_waits(void);
void flush_input(void);
bool may_read(const struct client *client);
void serve_client(struct client *client, short events);
void remove_the_gone(void);

/* output.c: what the container prints, its terminal, and the FIFO for its size */
extern struct output outputs[2];
extern int console_fd, control_fd;
long read_output(struct output *output);
bool drain(void);
void receive_terminal(void);
void read_control(void);
void open_control(void);

/* memory.c: killing for want of memory */
extern int memory_fd;
/* When it is to be looked at without a word of the kernel's; 0 is never. */
extern long long memory_again_at;
void look_at_memory(bool is_last);
void watch_memory(void);

/* children.c: the runtime, the process that it leaves behind, and its exit */
extern int signal_fd, runtime_status, kept_code;
void prepare_signals(void);
void live_long(void);
void reap(void);
bool runtime_has_ended(void);
void start_runtime(void);
bool write_exit_file(void);

#endif
