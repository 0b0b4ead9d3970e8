#include "common.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <uv.h>

bool args_of(napi_env env, napi_callback_info info, size_t wanted, napi_value *args) {
  size_t count = wanted;
  return napi_get_cb_info(env, info, &count, args, NULL, NULL) == napi_ok;
}

bool int_of(napi_env env, napi_value value, int *out) {
  double number;
  if (napi_get_value_double(env, value, &number) != napi_ok || number != (double)(int)number) {
    throw_type(env, "expected a 32-bit integer");
    return false;
  }
  *out = (int)number;
  return true;
}

bool size_of(napi_env env, napi_value value, size_t *out) {
  double number;
  if (napi_get_value_double(env, value, &number) != napi_ok || !(number >= 0) || number > 9007199254740991.0 ||
      number != (double)(size_t)number) {
    throw_type(env, "expected a non-negative integer");
    return false;
  }
  *out = (size_t)number;
  return true;
}

char *text_of(napi_env env, napi_value value) {
  size_t length;
  if (napi_get_value_string_utf8(env, value, NULL, 0, &length) != napi_ok) {
    throw_type(env, "expected a string");
    return NULL;
  }
  char *text = malloc(length + 1);
  if (text == NULL) {
    throw_errno(env, ENOMEM, "malloc", NULL);
    return NULL;
  }
  napi_get_value_string_utf8(env, value, text, length + 1, &length);
  if (strlen(text) != length) {
    free(text);
    throw_type(env, "a string for the kernel cannot contain a NUL");
    return NULL;
  }
  return text;
}

char *path_of(napi_env env, napi_value value) {
  napi_valuetype type;
  void *data;
  size_t size;
  if (napi_typeof(env, value, &type) == napi_ok && type == napi_string) return text_of(env, value);
  if (!whole_bytes_of(env, value, &data, &size)) return NULL;
  if (size > 0 && memchr(data, 0, size) != NULL) {
    throw_type(env, "a path for the kernel cannot contain a NUL");
    return NULL;
  }
  char *path = calloc(1, size + 1);
  if (path == NULL) throw_errno(env, ENOMEM, "calloc", NULL);
  else if (size > 0) memcpy(path, data, size);
  return path;
}

bool whole_bytes_of(napi_env env, napi_value array, void **data, size_t *size) {
  napi_typedarray_type type;
  bool is_array = false;
  if (napi_is_typedarray(env, array, &is_array) != napi_ok || !is_array ||
      napi_get_typedarray_info(env, array, &type, size, data, NULL, NULL) != napi_ok || type != napi_uint8_array) {
    throw_type(env, "expected a Uint8Array");
    return false;
  }
  return true;
}

bool bytes_of(napi_env env, napi_value array, napi_value offset, napi_value length, void **data, size_t *size) {
  size_t whole, from, count;
  if (!whole_bytes_of(env, array, data, &whole)) return false;
  if (!size_of(env, offset, &from) || !size_of(env, length, &count)) return false;
  if (from > whole || count > whole - from) {
    throw_type(env, "offset and length lie outside the array");
    return false;
  }
  if (*data != NULL) *data = (char *)*data + from;
  *size = count;
  return true;
}

napi_value int_value(napi_env env, int64_t value) {
  napi_value result = NULL;
  napi_create_int64(env, value, &result);
  return result;
}

napi_value text_value(napi_env env, const char *text) {
  napi_value result = NULL;
  napi_create_string_utf8(env, text, NAPI_AUTO_LENGTH, &result);
  return result;
}

void set_int(napi_env env, napi_value object, const char *name, int64_t value) {
  napi_set_named_property(env, object, name, int_value(env, value));
}

void set_text(napi_env env, napi_value object, const char *name, const char *value) {
  napi_set_named_property(env, object, name, text_value(env, value));
}

/* The name of an error, as libuv has it and so Node; some that processes cause it lacks. */
static void name_of(int error, char *name, size_t size) {
  if (error == ECHILD) snprintf(name, size, "ECHILD");
  else if (error == ENOEXEC) snprintf(name, size, "ENOEXEC");
  else uv_err_name_r(-error, name, size);
}

static void words_of(int error, char *words, size_t size) {
  if (error == ECHILD) snprintf(words, size, "no child processes");
  else if (error == ENOEXEC) snprintf(words, size, "exec format error");
  else uv_strerror_r(-error, words, size);
}

napi_value errno_value(napi_env env, int error, const char *syscall, const char *path) {
  char name[32];
  char words[128];
  name_of(error, name, sizeof name);
  words_of(error, words, sizeof words);
  size_t size = strlen(name) + strlen(words) + strlen(syscall) + (path == NULL ? 0 : strlen(path)) + 16;
  char *message = malloc(size);
  if (message != NULL) {
    if (path == NULL) snprintf(message, size, "%s: %s, %s", name, words, syscall);
    else snprintf(message, size, "%s: %s, %s '%s'", name, words, syscall, path);
  }
  napi_value result = NULL;
  napi_create_error(env, text_value(env, name), text_value(env, message == NULL ? name : message), &result);
  free(message);
  set_int(env, result, "errno", -error);
  set_text(env, result, "syscall", syscall);
  if (path != NULL) set_text(env, result, "path", path);
  return result;
}

napi_value throw_errno(napi_env env, int error, const char *syscall, const char *path) {
  napi_throw(env, errno_value(env, error, syscall, path));
  return NULL;
}

napi_value throw_type(napi_env env, const char *message) {
  napi_throw_type_error(env, "ERR_INVALID_ARG_VALUE", message);
  return NULL;
}

void define(napi_env env, napi_value exports, const char *name, napi_callback function) {
  napi_value value;
  napi_create_function(env, name, NAPI_AUTO_LENGTH, function, NULL, &value);
  napi_set_named_property(env, exports, name, value);
}
