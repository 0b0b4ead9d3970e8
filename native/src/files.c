/* What image layers need of a file system and Node does not offer: device nodes and extended attributes. Paths are text or bytes. */
#include "common.h"

#include <stdlib.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>

/* Source: XATTR_SIZE_MAX and XATTR_LIST_MAX, linux/limits.h. */
#define XATTR_SIZE_MAX_BYTES 65536

static napi_value make_node(napi_env env, napi_callback_info info) {
  napi_value args[ARGS_MAX];
  int mode, major_number, minor_number;
  if (!args_of(env, info, 4, args) || !int_of(env, args[1], &mode)) return NULL;
  if (!int_of(env, args[2], &major_number) || !int_of(env, args[3], &minor_number)) return NULL;
  char *path = path_of(env, args[0]);
  if (path == NULL) return NULL;
  napi_value result = NULL;
  if (mknod(path, (mode_t)mode, makedev((unsigned)major_number, (unsigned)minor_number)) != 0) {
    result = throw_errno(env, errno, "mknod", path);
  }
  free(path);
  return result;
}

static napi_value set_attribute(napi_env env, napi_callback_info info) {
  napi_value args[ARGS_MAX];
  void *data;
  size_t size;
  if (!args_of(env, info, 3, args) || !whole_bytes_of(env, args[2], &data, &size)) return NULL;
  char *path = path_of(env, args[0]);
  char *name = path == NULL ? NULL : text_of(env, args[1]);
  if (name != NULL && lsetxattr(path, name, data, size, 0) != 0) throw_errno(env, errno, "lsetxattr", path);
  free(name);
  free(path);
  return NULL;
}

/* Reads a value or, with a NULL name, the list of names. The kernel allows 64 KiB for either. */
static napi_value read_attributes(napi_env env, const char *path, const char *name) {
  char *buffer = malloc(XATTR_SIZE_MAX_BYTES);
  if (buffer == NULL) return throw_errno(env, ENOMEM, "malloc", NULL);
  ssize_t size = name == NULL ? llistxattr(path, buffer, XATTR_SIZE_MAX_BYTES)
                              : lgetxattr(path, name, buffer, XATTR_SIZE_MAX_BYTES);
  napi_value result = NULL;
  if (size >= 0) napi_create_buffer_copy(env, (size_t)size, buffer, NULL, &result);
  else if (errno != ENODATA) throw_errno(env, errno, name == NULL ? "llistxattr" : "lgetxattr", path);
  free(buffer);
  return result;
}

static napi_value get_attribute(napi_env env, napi_callback_info info) {
  napi_value args[ARGS_MAX];
  if (!args_of(env, info, 2, args)) return NULL;
  char *path = path_of(env, args[0]);
  char *name = path == NULL ? NULL : text_of(env, args[1]);
  napi_value result = name == NULL ? NULL : read_attributes(env, path, name);
  free(name);
  free(path);
  return result;
}

static napi_value list_attributes(napi_env env, napi_callback_info info) {
  napi_value args[ARGS_MAX];
  if (!args_of(env, info, 1, args)) return NULL;
  char *path = path_of(env, args[0]);
  napi_value result = path == NULL ? NULL : read_attributes(env, path, NULL);
  free(path);
  return result;
}

void init_files(napi_env env, napi_value exports) {
  define(env, exports, "makeNode", make_node);
  define(env, exports, "setAttribute", set_attribute);
  define(env, exports, "getAttribute", get_attribute);
  define(env, exports, "listAttributeNames", list_attributes);
}
