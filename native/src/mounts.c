/* mount(2) and umount2(2) on libuv's threads: unmounting may write a whole file system back before it returns. */
#include "common.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/syscall.h>
#include <unistd.h>

struct job {
  napi_async_work work;
  napi_deferred deferred;
  bool unmounting;
  char *source, *target, *type, *options;
  unsigned long flags;
  int error;
};

static void free_job(struct job *job) {
  free(job->source);
  free(job->target);
  free(job->type);
  free(job->options);
  free(job);
}

static void execute(napi_env env, void *data) {
  (void)env;
  struct job *job = data;
  int status = job->unmounting ? umount2(job->target, (int)job->flags)
                               : mount(job->source, job->target, job->type, job->flags, job->options);
  job->error = status == 0 ? 0 : errno;
}

static void complete(napi_env env, napi_status status, void *data) {
  struct job *job = data;
  napi_value value;
  if (status == napi_cancelled) job->error = ECANCELED;
  if (job->error == 0) {
    napi_get_undefined(env, &value);
    napi_resolve_deferred(env, job->deferred, value);
  } else {
    value = errno_value(env, job->error, job->unmounting ? "umount2" : "mount", job->target);
    napi_reject_deferred(env, job->deferred, value);
  }
  napi_delete_async_work(env, job->work);
  free_job(job);
}

static napi_value start(napi_env env, struct job *job) {
  napi_value promise = NULL, name = text_value(env, "fairlead:mount");
  if (napi_create_async_work(env, NULL, name, execute, complete, job, &job->work) != napi_ok) goto failed;
  if (napi_create_promise(env, &job->deferred, &promise) != napi_ok) goto failed_with_work;
  if (napi_queue_async_work(env, job->work) == napi_ok) return promise;
failed_with_work:
  napi_delete_async_work(env, job->work);
failed:
  free_job(job);
  return throw_errno(env, ENOMEM, "mount", NULL);
}

static napi_value mount_(napi_env env, napi_callback_info info) {
  napi_value args[ARGS_MAX];
  size_t flags;
  if (!args_of(env, info, 5, args) || !size_of(env, args[3], &flags)) return NULL;
  struct job *job = calloc(1, sizeof *job);
  if (job == NULL) return throw_errno(env, ENOMEM, "calloc", NULL);
  job->flags = flags;
  if ((job->source = text_of(env, args[0])) == NULL || (job->target = text_of(env, args[1])) == NULL ||
      (job->type = text_of(env, args[2])) == NULL || (job->options = text_of(env, args[4])) == NULL) {
    free_job(job);
    return NULL;
  }
  /* The kernel copies one page of options and cuts the rest off without a word. */
  if (strlen(job->options) >= (size_t)sysconf(_SC_PAGESIZE)) {
    throw_errno(env, E2BIG, "mount", job->target);
    free_job(job);
    return NULL;
  }
  return start(env, job);
}

static napi_value umount2_(napi_env env, napi_callback_info info) {
  napi_value args[ARGS_MAX];
  size_t flags;
  if (!args_of(env, info, 2, args) || !size_of(env, args[1], &flags)) return NULL;
  struct job *job = calloc(1, sizeof *job);
  if (job == NULL) return throw_errno(env, ENOMEM, "calloc", NULL);
  job->unmounting = true;
  job->flags = flags;
  if ((job->target = text_of(env, args[0])) == NULL) {
    free_job(job);
    return NULL;
  }
  return start(env, job);
}

/* A descriptor of a file through a mount that only this descriptor holds, and that cannot be written through. */
static napi_value open_read_only(napi_env env, napi_callback_info info) {
  napi_value args[ARGS_MAX];
  if (!args_of(env, info, 1, args)) return NULL;
  char *path = text_of(env, args[0]);
  if (path == NULL) return NULL;
  napi_value result = NULL;
  struct mount_attr attributes = {.attr_set = MOUNT_ATTR_RDONLY};
  int fd = (int)syscall(SYS_open_tree, AT_FDCWD, path, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
  if (fd < 0) {
    throw_errno(env, errno, "open_tree", path);
  } else if (syscall(SYS_mount_setattr, fd, "", AT_EMPTY_PATH, &attributes, sizeof attributes) != 0) {
    int error = errno;
    close(fd);
    throw_errno(env, error, "mount_setattr", path);
  } else {
    result = int_value(env, fd);
  }
  free(path);
  return result;
}

void init_mounts(napi_env env, napi_value exports) {
  define(env, exports, "mount", mount_);
  define(env, exports, "openReadOnly", open_read_only);
  define(env, exports, "umount2", umount2_);
}
