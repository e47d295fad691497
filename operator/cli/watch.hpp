#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "operator/cli/context.hpp"

namespace otaria::cli {

struct WatchOptions {
  std::chrono::seconds timeout{0};     ///< 0: until all have ended
  std::chrono::seconds patience{120};  ///< how long a server may stay away
  /// With --json: one line per change and one at the end (`update watch`), or only one object at
  /// the end
  /// (`update send --wait`).
  bool json_lines = false;
};

/// Shows these updates (objects of the REST API) until all have ended. Events make it prompt,
/// queries make it right: it asks when a stream opens, now and then while it is open, every second
/// while there is none. Returns exit_ok when all succeeded, else exit_refused; exit_interrupted
/// after Ctrl-C.
int watch_updates(Context& context, const std::vector<Json>& updates, const WatchOptions& options);

}  // namespace otaria::cli
