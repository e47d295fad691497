#pragma once

#include <exception>
#include <string>
#include <utility>

namespace otaria::cli {

/// Exit codes of every program of ours that an operator runs.
/// Source  docs/guide/cli.md, "Exit codes".
enum Exit : int {
  exit_ok = 0,            ///< accepted; with --wait: all succeeded
  exit_usage = 2,         ///< the command line or a file it names is wrong; nothing was sent
  exit_refused = 3,       ///< the server refused, or an update did not succeed
  exit_unreachable = 4,   ///< no server (or broker) answered
  exit_interrupted = 130  ///< Ctrl-C, as shells report it (128 + SIGINT)
};

/// Ends a verb. main() prints it for people on stderr, or as `{"error":{…}}` on stdout with --json.
struct Failure : std::exception {
  Failure(int exit, std::string error_code, std::string what_happened, std::string what_to_do = {})
      : exit_code(exit),
        code(std::move(error_code)),
        detail(std::move(what_happened)),
        hint(std::move(what_to_do)) {}
  [[nodiscard]] const char* what() const noexcept override { return detail.c_str(); }

  int exit_code;
  std::string code;    ///< stable, for programs: `unknown_release`
  std::string detail;  ///< a sentence with figures
  std::string hint;    ///< what to do; may be empty
};

}  // namespace otaria::cli
