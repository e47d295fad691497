#pragma once

#include <functional>
#include <string>

#include "operator/cli/context.hpp"

namespace CLI {
class App;
}

namespace otaria::cli {

/// What a parsed command line asks for.
struct Request {
  GlobalOptions global;
  std::function<int(Context&)> verb;  ///< set by the verb that was named
};

/// Adds every verb and option to `app`; parsing fills `request`, which must outlive the parse.
void build_command_tree(CLI::App& app, Request& request);

}  // namespace otaria::cli
