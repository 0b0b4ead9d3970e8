/* What every file of the addon shares: arguments in, errors out. Node-API and libuv's stable ABI only. */
#ifndef FAIRLEAD_COMMON_H
#define FAIRLEAD_COMMON_H

#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#define NAPI_VERSION 8

#include <errno.h>
#include <node_api.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ARGS_MAX 5

/* Reads up to ARGS_MAX arguments; missing ones are undefined. False: an exception is pending. */
bool args_of(napi_env env, napi_callback_info info, size_t wanted, napi_value *args);
bool int_of(napi_env env, napi_value value, int *out);
bool size_of(napi_env env, napi_value value, size_t *out);
/* A fresh, NUL-terminated copy; free() it. A text with a NUL inside is refused. */
char *text_of(napi_env env, napi_value value);
/* As text_of, also of a Uint8Array: names in a file system are bytes. */
char *path_of(napi_env env, napi_value value);
/* `length` bytes of a Uint8Array from `offset`, checked to lie inside. */
bool bytes_of(napi_env env, napi_value array, napi_value offset, napi_value length, void **data, size_t *size);
bool whole_bytes_of(napi_env env, napi_value array, void **data, size_t *size);

napi_value int_value(napi_env env, int64_t value);
napi_value text_value(napi_env env, const char *text);
void set_int(napi_env env, napi_value object, const char *name, int64_t value);
void set_text(napi_env env, napi_value object, const char *name, const char *value);

/* An Error as Node's own system errors look: code, errno (negative), syscall and, where there is one, path. */
napi_value errno_value(napi_env env, int error, const char *syscall, const char *path);
/* Throws it; returns NULL so that callers can `return throw_errno(...)`. */
napi_value throw_errno(napi_env env, int error, const char *syscall, const char *path);
/* A wrong call, not a failed one: TypeError. Returns NULL. */
napi_value throw_type(napi_env env, const char *message);
/* openat2(2) without magic links, tried again when a rename elsewhere spoilt it. Returns a descriptor, or -1 with errno. */
int open_below(int root, const char *path, int flags, uint64_t resolve);
void define(napi_env env, napi_value exports, const char *name, napi_callback function);

void init_descriptors(napi_env env, napi_value exports);
void init_files(napi_env env, napi_value exports);
void init_mounts(napi_env env, napi_value exports);
void init_poll(napi_env env, napi_value exports);
void init_processes(napi_env env, napi_value exports);
void init_small_files(napi_env env, napi_value exports);
void init_sockets(napi_env env, napi_value exports);
void init_spawn(napi_env env, napi_value exports);
void init_views(napi_env env, napi_value exports);

#endif
