/*
 * A container's file system as one descriptor: a tree of mounts in a mount namespace of its own, with a root that no path leads out of.
 * Nothing of it is visible on the host, and it is gone when the last descriptor is closed, however that comes about.
 */
#include "common.h"

#include <fcntl.h>
#include <linux/openat2.h>
#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <unistd.h>

#ifndef TMPFS_MAGIC
#define TMPFS_MAGIC 0x01021994
#endif

/* A rename anywhere on the host may cost a path with ".." another try; somebody who renames all the time does not hold us. */
#define OPEN_TRIES_MAX 128

int open_below(int root, const char *path, int flags, uint64_t resolve) {
  struct open_how how = {.flags = (uint64_t)(unsigned)flags | O_CLOEXEC, .resolve = resolve | RESOLVE_NO_MAGICLINKS};
  for (int tries = 0; tries < OPEN_TRIES_MAX; tries++) {
    int fd = (int)syscall(SYS_openat2, root, path, &how, sizeof how);
    if (fd >= 0 || (errno != EAGAIN && errno != EINTR)) return fd;
  }
  return -1;
}

enum mount_kind { MOUNT_BIND, MOUNT_LIVE_TMPFS, MOUNT_EMPTY_TMPFS };

struct view_mount {
  int kind;
  int recursive;
  int read_only; /* 1: itself, 2: also what is mounted below it */
  char *source, *target;
  int tree;
};

struct job {
  napi_async_work work;
  napi_deferred deferred;
  /* what is asked for: an open in a root, or a view */
  bool opening;
  int root;
  int flags;
  uint64_t resolve;
  char *path;
  struct view_mount *mounts;
  size_t count;
  int live_namespace;
  /* what came of it */
  int fd;
  int namespace;
  int error;
  const char *syscall;
  const char *about;
};

static void free_job(struct job *job) {
  for (size_t i = 0; i < job->count; i++) {
    free(job->mounts[i].source);
    free(job->mounts[i].target);
  }
  free(job->mounts);
  free(job->path);
  free(job);
}

static bool failed(struct job *job, const char *call, const char *about) {
  job->error = errno;
  job->syscall = call;
  job->about = about;
  return false;
}

/* What is mounted in a view neither runs, opens devices, nor tells other namespaces of mounts. */
static bool confine(struct job *job, int tree, struct view_mount *mount) {
  struct mount_attr attr = {
      .attr_set = MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC,
      .propagation = MS_PRIVATE,
  };
  int read_only = mount == NULL ? 0 : mount->read_only;
  if (read_only == 2) attr.attr_set |= MOUNT_ATTR_RDONLY;
  const char *about = mount == NULL ? job->path : mount->target;
  if (syscall(SYS_mount_setattr, tree, "", AT_EMPTY_PATH | AT_RECURSIVE, &attr, sizeof attr) != 0) {
    return failed(job, "mount_setattr", about);
  }
  if (read_only != 1) return true;
  struct mount_attr top = {.attr_set = MOUNT_ATTR_RDONLY};
  if (syscall(SYS_mount_setattr, tree, "", AT_EMPTY_PATH, &top, sizeof top) != 0) {
    return failed(job, "mount_setattr", about);
  }
  return true;
}

static int clone_tree(int at, const char *path, int flags) {
  return (int)syscall(SYS_open_tree, at, path, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | flags);
}

static int empty_tmpfs(void) {
  int context = (int)syscall(SYS_fsopen, "tmpfs", FSOPEN_CLOEXEC);
  if (context < 0) return -1;
  int tree = -1;
  if (syscall(SYS_fsconfig, context, FSCONFIG_CMD_CREATE, NULL, NULL, 0) == 0) {
    tree = (int)syscall(SYS_fsmount, context, FSMOUNT_CLOEXEC, 0);
  }
  int error = errno;
  close(context);
  errno = error;
  return tree;
}

/* Inside the container's own mount namespace; what is no tmpfs there (any more) is left out, as the container sees it. */
static bool collect_live(struct job *job) {
  int root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
  if (root < 0) return failed(job, "open", "/");
  for (size_t i = 0; i < job->count; i++) {
    struct view_mount *mount = &job->mounts[i];
    if (mount->kind != MOUNT_LIVE_TMPFS) continue;
    struct statfs facts;
    int fd = open_below(root, mount->target, O_PATH | O_DIRECTORY, RESOLVE_IN_ROOT);
    if (fd < 0) continue;
    if (fstatfs(fd, &facts) == 0 && facts.f_type == TMPFS_MAGIC) mount->tree = clone_tree(fd, "", AT_EMPTY_PATH);
    close(fd);
  }
  close(root);
  return true;
}

static bool collect(struct job *job) {
  bool live = false;
  for (size_t i = 0; i < job->count; i++) {
    struct view_mount *mount = &job->mounts[i];
    live = live || mount->kind == MOUNT_LIVE_TMPFS;
    if (mount->kind == MOUNT_LIVE_TMPFS) continue;
    mount->tree = mount->kind == MOUNT_EMPTY_TMPFS
                      ? empty_tmpfs()
                      : clone_tree(AT_FDCWD, mount->source, mount->recursive ? AT_RECURSIVE : 0);
    if (mount->tree < 0) return failed(job, mount->kind == MOUNT_EMPTY_TMPFS ? "fsmount" : "open_tree", mount->source);
  }
  if (!live || job->live_namespace < 0) return true;
  if (setns(job->live_namespace, CLONE_NEWNS) != 0) return failed(job, "setns", NULL);
  bool done = collect_live(job);
  if (setns(job->namespace, CLONE_NEWNS) != 0) return failed(job, "setns", NULL);
  return done;
}

static bool attach(struct job *job, struct view_mount *mount) {
  if (mount->tree < 0) return true;
  if (!confine(job, mount->tree, mount)) return false;
  int target = open_below(job->fd, mount->target, O_PATH, RESOLVE_IN_ROOT);
  if (target < 0) return failed(job, "openat2", mount->target);
  long status = syscall(SYS_move_mount, mount->tree, "", target, "", MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH);
  if (status != 0) failed(job, "move_mount", mount->target);
  close(target);
  return status == 0;
}

static bool build(struct job *job) {
  if (unshare(CLONE_FS | CLONE_NEWNS) != 0) return failed(job, "unshare", NULL);
  if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0) return failed(job, "mount", "/");
  job->namespace = open("/proc/thread-self/ns/mnt", O_RDONLY | O_CLOEXEC);
  if (job->namespace < 0) return failed(job, "open", "/proc/thread-self/ns/mnt");
  int tree = clone_tree(AT_FDCWD, job->path, 0);
  if (tree < 0) return failed(job, "open_tree", job->path);
  bool done = confine(job, tree, NULL) && collect(job);
  if (done && syscall(SYS_move_mount, tree, "", AT_FDCWD, job->path, MOVE_MOUNT_F_EMPTY_PATH) != 0) {
    done = failed(job, "move_mount", job->path);
  }
  close(tree);
  if (!done) return false;
  job->fd = open(job->path, O_PATH | O_DIRECTORY | O_CLOEXEC);
  if (job->fd < 0) return failed(job, "open", job->path);
  for (size_t i = 0; i < job->count; i++) {
    if (!attach(job, &job->mounts[i])) return false;
  }
  /* The host's mounts go: a view must not keep another container's root busy. */
  if (fchdir(job->fd) != 0) return failed(job, "fchdir", job->path);
  if (syscall(SYS_pivot_root, ".", ".") != 0) return failed(job, "pivot_root", job->path);
  if (umount2(".", MNT_DETACH) != 0) return failed(job, "umount2", NULL);
  return true;
}

static void *on_thread(void *data) {
  struct job *job = data;
  bool done = build(job);
  for (size_t i = 0; i < job->count; i++) {
    if (job->mounts[i].tree >= 0) close(job->mounts[i].tree);
  }
  if (done) return NULL;
  if (job->fd >= 0) close(job->fd);
  if (job->namespace >= 0) close(job->namespace);
  return NULL;
}

static void execute(napi_env env, void *data) {
  (void)env;
  struct job *job = data;
  if (job->opening) {
    job->fd = open_below(job->root, job->path, job->flags, job->resolve);
    if (job->fd < 0) failed(job, "openat2", job->path);
    return;
  }
  /* unshare and setns change a thread for ever: this one is of no further use. */
  pthread_t thread;
  int error = pthread_create(&thread, NULL, on_thread, job);
  if (error == 0) pthread_join(thread, NULL);
  else {
    errno = error;
    failed(job, "pthread_create", NULL);
  }
}

static void complete(napi_env env, napi_status status, void *data) {
  struct job *job = data;
  napi_value value;
  if (status == napi_cancelled) {
    job->error = ECANCELED;
    job->syscall = "openat2";
  }
  if (job->error != 0) {
    value = errno_value(env, job->error, job->syscall, job->about);
    napi_reject_deferred(env, job->deferred, value);
  } else {
    if (job->opening) value = int_value(env, job->fd);
    else {
      napi_create_object(env, &value);
      set_int(env, value, "root", job->fd);
      set_int(env, value, "namespace", job->namespace);
    }
    napi_resolve_deferred(env, job->deferred, value);
  }
  napi_delete_async_work(env, job->work);
  free_job(job);
}

static napi_value start(napi_env env, struct job *job) {
  napi_value promise = NULL, name = text_value(env, "fairlead:view");
  if (napi_create_async_work(env, NULL, name, execute, complete, job, &job->work) != napi_ok) goto unstarted;
  if (napi_create_promise(env, &job->deferred, &promise) != napi_ok) goto unstarted_with_work;
  if (napi_queue_async_work(env, job->work) == napi_ok) return promise;
unstarted_with_work:
  napi_delete_async_work(env, job->work);
unstarted:
  free_job(job);
  return throw_errno(env, ENOMEM, "view", NULL);
}

static struct job *new_job(napi_env env) {
  struct job *job = calloc(1, sizeof *job);
  if (job == NULL) {
    throw_errno(env, ENOMEM, "calloc", NULL);
    return NULL;
  }
  job->fd = job->namespace = job->live_namespace = -1;
  return job;
}

static napi_value open_in_root(napi_env env, napi_callback_info info) {
  napi_value args[ARGS_MAX];
  size_t resolve;
  if (!args_of(env, info, 4, args)) return NULL;
  struct job *job = new_job(env);
  if (job == NULL) return NULL;
  job->opening = true;
  if (!int_of(env, args[0], &job->root) || !int_of(env, args[2], &job->flags) || !size_of(env, args[3], &resolve) ||
      (job->path = path_of(env, args[1])) == NULL) {
    free_job(job);
    return NULL;
  }
  job->resolve = resolve;
  return start(env, job);
}

static bool field(napi_env env, napi_value object, const char *name, napi_value *out) {
  if (napi_get_named_property(env, object, name, out) == napi_ok) return true;
  throw_type(env, "expected an object");
  return false;
}

static bool read_mount(napi_env env, napi_value object, struct view_mount *mount) {
  napi_value value;
  mount->tree = -1;
  return field(env, object, "kind", &value) && int_of(env, value, &mount->kind) &&
         field(env, object, "recursive", &value) && int_of(env, value, &mount->recursive) &&
         field(env, object, "readOnly", &value) && int_of(env, value, &mount->read_only) &&
         field(env, object, "source", &value) && (mount->source = text_of(env, value)) != NULL &&
         field(env, object, "target", &value) && (mount->target = text_of(env, value)) != NULL;
}

static bool read_mounts(napi_env env, napi_value array, struct job *job) {
  uint32_t length;
  if (napi_get_array_length(env, array, &length) != napi_ok) {
    throw_type(env, "expected an array");
    return false;
  }
  job->mounts = calloc(length + 1, sizeof *job->mounts);
  if (job->mounts == NULL) {
    throw_errno(env, ENOMEM, "calloc", NULL);
    return false;
  }
  for (uint32_t i = 0; i < length; i++) {
    napi_value element;
    napi_get_element(env, array, i, &element);
    job->count = i + 1;
    if (!read_mount(env, element, &job->mounts[i])) return false;
  }
  return true;
}

static napi_value open_view(napi_env env, napi_callback_info info) {
  napi_value args[ARGS_MAX];
  if (!args_of(env, info, 3, args)) return NULL;
  struct job *job = new_job(env);
  if (job == NULL) return NULL;
  if ((job->path = text_of(env, args[0])) == NULL || !read_mounts(env, args[1], job) ||
      !int_of(env, args[2], &job->live_namespace)) {
    free_job(job);
    return NULL;
  }
  return start(env, job);
}

void init_views(napi_env env, napi_value exports) {
  define(env, exports, "openInRoot", open_in_root);
  define(env, exports, "openView", open_view);
}
