/*
 * What the engine does with small files, one visit to a thread each: docs/adr/0005-fewer-visits-to-threads.md.
 *
 * Node's own calls go to a thread for every step (open, stat, read, read, close), and each visit costs more than the steps.
 */
#include "common.h"

#include <dirent.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum kind { READ_FILE, WRITE_FILE, MAKE_DIRECTORIES, REMOVE_PATHS, REMOVE_TREE };

/* Directories held open at once on the way down a tree; a deeper one is refused with EMFILE. */
#define DEPTH_MAX 128
/* First room for a file that does not tell its size, as those of /proc. */
#define READ_FIRST 4096

struct job {
  enum kind kind;
  napi_async_work work;
  napi_deferred deferred;
  char *root; /* of READ_FILE, or NULL */
  char **paths; /* one, but for MAKE_DIRECTORIES and REMOVE_PATHS */
  size_t count;
  int flags;
  mode_t mode;
  mode_t *modes; /* of MAKE_DIRECTORIES, by path */
  bool sync;
  char *bytes;
  size_t size;
  size_t limit;
  int *errors;   /* of REMOVE_PATHS, by path */
  size_t failed; /* the path that the error is about */
  bool more;   /* of REMOVE_TREE */
  int error;
  const char *syscall;
};

static void free_job(struct job *job) {
  for (size_t index = 0; job->paths != NULL && index < job->count; index++) free(job->paths[index]);
  free(job->paths);
  free(job->root);
  free(job->bytes);
  free(job->modes);
  free(job->errors);
  free(job);
}

static void failed(struct job *job, const char *syscall) {
  job->error = errno;
  job->syscall = syscall;
}

/* Room for one byte more than is known, so that the end is noticed. False: too large, or no memory. */
static bool grow(struct job *job, size_t *room) {
  size_t wanted = *room == 0 ? READ_FIRST : *room * 2;
  if (wanted > job->limit + 1) wanted = job->limit + 1;
  if (wanted <= *room) {
    errno = EFBIG;
    return false;
  }
  char *larger = realloc(job->bytes, wanted);
  if (larger == NULL) return false;
  job->bytes = larger;
  *room = wanted;
  return true;
}

static void read_whole(struct job *job, int fd) {
  struct stat stats;
  size_t room = 0;
  if (fstat(fd, &stats) != 0) return failed(job, "fstat");
  if ((job->flags & O_NONBLOCK) != 0 && !S_ISREG(stats.st_mode)) {
    errno = EINVAL;
    return failed(job, "read");
  }
  if (S_ISREG(stats.st_mode) && stats.st_size > READ_FIRST && (uint64_t)stats.st_size <= job->limit) {
    room = (size_t)stats.st_size + 1;
    job->bytes = malloc(room);
    if (job->bytes == NULL) return failed(job, "malloc");
  }
  for (;;) {
    if (job->size == room && !grow(job, &room)) return failed(job, "read");
    ssize_t count = read(fd, job->bytes + job->size, room - job->size);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return failed(job, "read");
    if (count == 0) return;
    job->size += (size_t)count;
    if (job->size > job->limit) {
      errno = EFBIG;
      return failed(job, "read");
    }
  }
}

/* Links and ".." of the path end at the root. */
static int open_in_root(const char *root, const char *path, int flags) {
  int directory = open(root, O_PATH | O_DIRECTORY | O_CLOEXEC);
  if (directory < 0) return -1;
  int fd = open_below(directory, path, flags, RESOLVE_IN_ROOT);
  int error = errno;
  close(directory);
  errno = error;
  return fd;
}

static void read_file(struct job *job) {
  int fd = job->root == NULL ? open(job->paths[0], O_RDONLY | O_CLOEXEC | job->flags)
                             : open_in_root(job->root, job->paths[0], O_RDONLY | job->flags);
  if (fd < 0) return failed(job, job->root == NULL ? "open" : "openat2");
  read_whole(job, fd);
  close(fd);
}

static void write_whole(struct job *job, int fd) {
  size_t written = 0;
  while (written < job->size) {
    ssize_t count = write(fd, job->bytes + written, job->size - written);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return failed(job, "write");
    written += (size_t)count;
  }
  if (job->sync && fsync(fd) != 0) failed(job, "fsync");
}

static void write_file(struct job *job) {
  int fd = open(job->paths[0], O_WRONLY | O_CLOEXEC | job->flags, job->mode);
  if (fd < 0) return failed(job, "open");
  write_whole(job, fd);
  if (close(fd) != 0 && job->error == 0 && errno != EINTR) failed(job, "close");
  if (job->error != 0 && (job->flags & O_EXCL) != 0) unlink(job->paths[0]);
}

static void make_directories(struct job *job) {
  for (size_t index = 0; index < job->count; index++) {
    if (mkdir(job->paths[index], job->modes[index]) == 0 || errno == EEXIST) continue;
    job->failed = index;
    return failed(job, "mkdir");
  }
}

static void remove_paths(struct job *job) {
  for (size_t index = 0; index < job->count; index++) {
    int status = job->flags == 0 ? unlink(job->paths[index]) : rmdir(job->paths[index]);
    job->errors[index] = status == 0 || errno == ENOENT ? 0 : errno;
  }
}

struct removal {
  size_t left; /* entries that this visit may still remove */
  int depth;
  const char *syscall;
};

static bool is_dots(const char *name) {
  return name[0] == '.' && (name[1] == '\0' || (name[1] == '.' && name[2] == '\0'));
}

static int remove_entry(int parent, const char *name, bool directory, struct removal *removal);

/* Empties a directory. 0: it is empty, or the visit is over (nothing left); -1: errno. Closes `fd`. */
static int empty(int fd, struct removal *removal) {
  DIR *stream = fdopendir(fd);
  if (stream == NULL) {
    close(fd);
    removal->syscall = "fdopendir";
    return -1;
  }
  int status = 0;
  while (status == 0 && removal->left > 0) {
    errno = 0;
    struct dirent *entry = readdir(stream);
    if (entry == NULL) {
      if (errno != 0) {
        removal->syscall = "readdir";
        status = -1;
      }
      break;
    }
    if (!is_dots(entry->d_name)) status = remove_entry(fd, entry->d_name, entry->d_type == DT_DIR, removal);
  }
  int error = errno;
  closedir(stream);
  errno = error;
  return status;
}

static int remove_directory(int parent, const char *name, struct removal *removal) {
  if (unlinkat(parent, name, AT_REMOVEDIR) == 0 || errno == ENOENT) return 0;
  removal->syscall = "rmdir";
  if (errno != ENOTEMPTY && errno != EEXIST) return -1;
  if (removal->depth >= DEPTH_MAX) {
    errno = EMFILE;
    return -1;
  }
  int fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
  if (fd < 0) {
    removal->syscall = "open";
    return errno == ENOENT ? 0 : -1;
  }
  removal->depth++;
  int status = empty(fd, removal);
  removal->depth--;
  if (status != 0 || removal->left == 0) return status;
  removal->syscall = "rmdir";
  return unlinkat(parent, name, AT_REMOVEDIR) == 0 || errno == ENOENT ? 0 : -1;
}

/* A name that may be a link is never followed: neither unlinkat nor the open of a directory does. */
static int remove_entry(int parent, const char *name, bool directory, struct removal *removal) {
  if (!directory) {
    if (unlinkat(parent, name, 0) == 0) {
      removal->left--;
      return 0;
    }
    removal->syscall = "unlink";
    if (errno == ENOENT || errno == ENOTDIR) return 0;
    if (errno != EISDIR && errno != EPERM) return -1;
  }
  int status = remove_directory(parent, name, removal);
  if (status == 0 && removal->left > 0) removal->left--;
  return status;
}

static void remove_tree(struct job *job) {
  struct removal removal = {.left = job->limit, .depth = 0, .syscall = "unlink"};
  if (remove_entry(AT_FDCWD, job->paths[0], false, &removal) != 0) return failed(job, removal.syscall);
  struct stat stats;
  job->more = removal.left == 0 && lstat(job->paths[0], &stats) == 0;
}

static void execute(napi_env env, void *data) {
  (void)env;
  struct job *job = data;
  switch (job->kind) {
    case READ_FILE: read_file(job); break;
    case WRITE_FILE: write_file(job); break;
    case MAKE_DIRECTORIES: make_directories(job); break;
    case REMOVE_PATHS: remove_paths(job); break;
    case REMOVE_TREE: remove_tree(job); break;
  }
}

static napi_value result_of(napi_env env, struct job *job) {
  napi_value result;
  switch (job->kind) {
    case READ_FILE:
      napi_create_buffer_copy(env, job->size, job->bytes, NULL, &result);
      return result;
    case REMOVE_PATHS:
      napi_create_array_with_length(env, job->count, &result);
      for (size_t index = 0; index < job->count; index++) {
        napi_set_element(env, result, (uint32_t)index, int_value(env, job->errors[index]));
      }
      return result;
    case REMOVE_TREE:
      napi_get_boolean(env, job->more, &result);
      return result;
    case WRITE_FILE:
    case MAKE_DIRECTORIES: break;
  }
  napi_get_undefined(env, &result);
  return result;
}

static void complete(napi_env env, napi_status status, void *data) {
  struct job *job = data;
  if (status == napi_cancelled) {
    job->error = ECANCELED;
    job->syscall = "cancel";
  }
  if (job->error == 0) napi_resolve_deferred(env, job->deferred, result_of(env, job));
  else napi_reject_deferred(env, job->deferred, errno_value(env, job->error, job->syscall, job->paths[job->failed]));
  napi_delete_async_work(env, job->work);
  free_job(job);
}

/* Takes the job over. */
static napi_value start(napi_env env, struct job *job) {
  napi_value promise = NULL, name = text_value(env, "fairlead:file");
  if (napi_create_async_work(env, NULL, name, execute, complete, job, &job->work) == napi_ok) {
    if (napi_create_promise(env, &job->deferred, &promise) == napi_ok &&
        napi_queue_async_work(env, job->work) == napi_ok) {
      return promise;
    }
    napi_delete_async_work(env, job->work);
  }
  free_job(job);
  return throw_errno(env, ENOMEM, "queue", NULL);
}

static struct job *new_job(napi_env env, enum kind kind, size_t count) {
  struct job *job = calloc(1, sizeof *job);
  char **paths = calloc(count + 1, sizeof *paths);
  if (job == NULL || paths == NULL) {
    free(job);
    free(paths);
    throw_errno(env, ENOMEM, "calloc", NULL);
    return NULL;
  }
  job->kind = kind;
  job->paths = paths;
  job->count = count;
  return job;
}

/* A job on one path; NULL: an exception is pending. */
static struct job *job_on(napi_env env, enum kind kind, napi_value path) {
  struct job *job = new_job(env, kind, 1);
  if (job == NULL) return NULL;
  job->paths[0] = text_of(env, path);
  if (job->paths[0] != NULL) return job;
  free_job(job);
  return NULL;
}

static napi_value read_file_(napi_env env, napi_callback_info info) {
  napi_value args[ARGS_MAX];
  napi_valuetype type;
  size_t limit;
  int flags;
  if (!args_of(env, info, 4, args) || !size_of(env, args[1], &limit) || !int_of(env, args[2], &flags)) return NULL;
  if (napi_typeof(env, args[3], &type) != napi_ok) return NULL;
  struct job *job = job_on(env, READ_FILE, args[0]);
  if (job == NULL) return NULL;
  job->limit = limit;
  job->flags = flags;
  if (type == napi_undefined || (job->root = text_of(env, args[3])) != NULL) return start(env, job);
  free_job(job);
  return NULL;
}

static napi_value write_file_(napi_env env, napi_callback_info info) {
  napi_value args[ARGS_MAX];
  int mode, flags;
  bool sync;
  void *bytes;
  size_t size;
  if (!args_of(env, info, 5, args) || !whole_bytes_of(env, args[1], &bytes, &size)) return NULL;
  if (!int_of(env, args[2], &mode) || !int_of(env, args[3], &flags)) return NULL;
  if (napi_get_value_bool(env, args[4], &sync) != napi_ok) return throw_type(env, "expected a boolean");
  struct job *job = job_on(env, WRITE_FILE, args[0]);
  if (job == NULL) return NULL;
  job->bytes = malloc(size + 1);
  if (job->bytes == NULL) {
    free_job(job);
    return throw_errno(env, ENOMEM, "malloc", NULL);
  }
  if (size > 0) memcpy(job->bytes, bytes, size);
  job->size = size;
  job->mode = (mode_t)mode;
  job->flags = flags;
  job->sync = sync;
  return start(env, job);
}

/* A job on an array of paths; NULL: an exception is pending. */
static struct job *job_on_all(napi_env env, enum kind kind, napi_value paths) {
  uint32_t count;
  napi_value element;
  if (napi_get_array_length(env, paths, &count) != napi_ok) {
    throw_type(env, "expected an array of strings");
    return NULL;
  }
  struct job *job = new_job(env, kind, count);
  for (uint32_t index = 0; job != NULL && index < count; index++) {
    if (napi_get_element(env, paths, index, &element) == napi_ok) job->paths[index] = text_of(env, element);
    if (job->paths[index] != NULL) continue;
    free_job(job);
    return NULL;
  }
  return job;
}

static bool modes_of(napi_env env, napi_value modes, struct job *job) {
  uint32_t count;
  napi_value element;
  int mode;
  if (napi_get_array_length(env, modes, &count) != napi_ok || count != job->count) {
    throw_type(env, "expected a mode for each path");
    return false;
  }
  job->modes = calloc((size_t)count + 1, sizeof *job->modes);
  if (job->modes == NULL) {
    throw_errno(env, ENOMEM, "calloc", NULL);
    return false;
  }
  for (uint32_t index = 0; index < count; index++) {
    if (napi_get_element(env, modes, index, &element) != napi_ok || !int_of(env, element, &mode)) return false;
    job->modes[index] = (mode_t)mode;
  }
  return true;
}

static napi_value make_directories_(napi_env env, napi_callback_info info) {
  napi_value args[ARGS_MAX];
  if (!args_of(env, info, 2, args)) return NULL;
  struct job *job = job_on_all(env, MAKE_DIRECTORIES, args[0]);
  if (job == NULL) return NULL;
  if (modes_of(env, args[1], job)) return start(env, job);
  free_job(job);
  return NULL;
}

static napi_value remove_paths_(napi_env env, napi_callback_info info) {
  napi_value args[ARGS_MAX];
  bool directories;
  if (!args_of(env, info, 2, args)) return NULL;
  if (napi_get_value_bool(env, args[1], &directories) != napi_ok) return throw_type(env, "expected a boolean");
  struct job *job = job_on_all(env, REMOVE_PATHS, args[0]);
  if (job == NULL) return NULL;
  job->flags = directories ? 1 : 0;
  job->errors = calloc(job->count + 1, sizeof *job->errors);
  if (job->errors != NULL) return start(env, job);
  free_job(job);
  return throw_errno(env, ENOMEM, "calloc", NULL);
}

static napi_value remove_tree_(napi_env env, napi_callback_info info) {
  napi_value args[ARGS_MAX];
  size_t limit;
  if (!args_of(env, info, 2, args) || !size_of(env, args[1], &limit)) return NULL;
  if (limit == 0) return throw_type(env, "expected a positive number");
  struct job *job = job_on(env, REMOVE_TREE, args[0]);
  if (job == NULL) return NULL;
  job->limit = limit;
  return start(env, job);
}

void init_small_files(napi_env env, napi_value exports) {
  define(env, exports, "readSmallFile", read_file_);
  define(env, exports, "writeSmallFile", write_file_);
  define(env, exports, "makeDirectories", make_directories_);
  define(env, exports, "removePaths", remove_paths_);
  define(env, exports, "removeTreePart", remove_tree_);
}
