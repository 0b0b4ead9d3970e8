/*
 * class Poll: tells when a descriptor can be read or written, on Node's own event loop.
 *
 * While it is open the object holds itself and its callback; close() lets both go. The descriptor stays its owner's.
 * The struct lives until the handle is closed AND the object is collected, in whichever order that happens.
 */
#include "common.h"

#include <stdlib.h>
#include <uv.h>

/* Tells that libuv has stopped watching by itself; above all of its own bits. */
#define STOPPED 16

struct poll {
  napi_env env;
  uv_poll_t *handle;
  napi_ref self;
  napi_ref callback;
  napi_async_context context;
  napi_async_cleanup_hook_handle hook;
  int holders;
  bool closing;
};

static void release(struct poll *poll) {
  if (--poll->holders > 0) return;
  free(poll->handle);
  free(poll);
}

static void on_closed(uv_handle_t *handle) {
  struct poll *poll = handle->data;
  napi_remove_async_cleanup_hook(poll->hook);
  release(poll);
}

static void close_poll(struct poll *poll) {
  if (poll->closing) return;
  poll->closing = true;
  napi_delete_reference(poll->env, poll->self);
  napi_delete_reference(poll->env, poll->callback);
  napi_async_destroy(poll->env, poll->context);
  uv_close((uv_handle_t *)poll->handle, on_closed);
}

/* The environment ends (process exit, or a worker's): close, and Node waits for on_closed. */
static void on_teardown(napi_async_cleanup_hook_handle hook, void *data) {
  (void)hook;
  close_poll(data);
}

static void on_collected(napi_env env, void *data, void *hint) {
  (void)env;
  (void)hint;
  release(data);
}

static void on_event(uv_poll_t *handle, int status, int events) {
  struct poll *poll = handle->data;
  napi_env env = poll->env;
  napi_handle_scope scope;
  if (napi_open_handle_scope(env, &scope) != napi_ok) return;
  /* libuv says EBADF for any POLLERR and has stopped; the owner's next read or write learns the true error. */
  napi_value self, callback;
  napi_value argument = int_value(env, status < 0 ? UV_READABLE | UV_WRITABLE | STOPPED : events);
  napi_get_reference_value(env, poll->self, &self);
  napi_get_reference_value(env, poll->callback, &callback);
  if (napi_make_callback(env, poll->context, self, callback, 1, &argument, NULL) == napi_pending_exception) {
    napi_value error;
    napi_get_and_clear_last_exception(env, &error);
    napi_fatal_exception(env, error);
  }
  napi_close_handle_scope(env, scope);
}

/* Makes the libuv handle. Returns 0 or an errno; on failure nothing is left. */
static int open_handle(napi_env env, struct poll *poll, int fd) {
  uv_loop_t *loop;
  if (napi_get_uv_event_loop(env, &loop) != napi_ok) return EINVAL;
  /* The size as the running libuv knows it, not as the headers do. */
  poll->handle = calloc(1, uv_handle_size(UV_POLL));
  if (poll->handle == NULL) return ENOMEM;
  int status = uv_poll_init(loop, poll->handle, fd);
  if (status != 0) return -status;
  poll->handle->data = poll;
  return 0;
}

static napi_value construct(napi_env env, napi_callback_info info) {
  napi_value args[2], self, name;
  size_t count = 2;
  int fd;
  napi_valuetype type;
  if (napi_get_cb_info(env, info, &count, args, &self, NULL) != napi_ok || !int_of(env, args[0], &fd)) return NULL;
  if (napi_typeof(env, args[1], &type) != napi_ok || type != napi_function) {
    return throw_type(env, "expected a function");
  }
  struct poll *poll = calloc(1, sizeof *poll);
  if (poll == NULL) return throw_errno(env, ENOMEM, "calloc", NULL);
  poll->env = env;
  int error = open_handle(env, poll, fd);
  if (error != 0) {
    free(poll->handle);
    free(poll);
    return throw_errno(env, error, "epoll_ctl", NULL);
  }
  poll->holders = 2; /* the handle and the object */
  name = text_value(env, "fairlead:poll");
  napi_wrap(env, self, poll, on_collected, NULL, NULL);
  napi_create_reference(env, self, 1, &poll->self);
  napi_create_reference(env, args[1], 1, &poll->callback);
  napi_async_init(env, self, name, &poll->context);
  napi_add_async_cleanup_hook(env, on_teardown, poll, &poll->hook);
  return self;
}

static struct poll *poll_of(napi_env env, napi_callback_info info, napi_value *argument) {
  size_t count = 1;
  napi_value self;
  void *poll = NULL;
  if (napi_get_cb_info(env, info, &count, argument, &self, NULL) != napi_ok) return NULL;
  if (napi_unwrap(env, self, &poll) != napi_ok) throw_type(env, "not a Poll");
  return poll;
}

static napi_value watch(napi_env env, napi_callback_info info) {
  napi_value argument;
  int events;
  struct poll *poll = poll_of(env, info, &argument);
  if (poll == NULL || !int_of(env, argument, &events)) return NULL;
  if (poll->closing) return throw_errno(env, EBADF, "epoll_ctl", NULL);
  int wanted = events & (UV_READABLE | UV_WRITABLE);
  int status = wanted == 0 ? uv_poll_stop(poll->handle) : uv_poll_start(poll->handle, wanted, on_event);
  if (status != 0) return throw_errno(env, -status, "epoll_ctl", NULL);
  return NULL;
}

static napi_value close_(napi_env env, napi_callback_info info) {
  napi_value argument;
  struct poll *poll = poll_of(env, info, &argument);
  if (poll != NULL) close_poll(poll);
  return NULL;
}

static napi_value unref(napi_env env, napi_callback_info info) {
  napi_value argument;
  struct poll *poll = poll_of(env, info, &argument);
  if (poll != NULL && !poll->closing) uv_unref((uv_handle_t *)poll->handle);
  return NULL;
}

void init_poll(napi_env env, napi_value exports) {
  const napi_property_descriptor methods[] = {
      {"watch", NULL, watch, NULL, NULL, NULL, napi_default_method, NULL},
      {"close", NULL, close_, NULL, NULL, NULL, napi_default_method, NULL},
      {"unref", NULL, unref, NULL, NULL, NULL, napi_default_method, NULL},
  };
  napi_value constructor;
  napi_define_class(env, "Poll", NAPI_AUTO_LENGTH, construct, NULL, sizeof methods / sizeof *methods, methods, &constructor);
  napi_set_named_property(env, exports, "Poll", constructor);
}
