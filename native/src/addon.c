#include "common.h"

NAPI_MODULE_INIT() {
  init_descriptors(env, exports);
  init_files(env, exports);
  init_mounts(env, exports);
  init_poll(env, exports);
  init_processes(env, exports);
  init_small_files(env, exports);
  init_sockets(env, exports);
  init_spawn(env, exports);
  init_views(env, exports);
  return exports;
}
