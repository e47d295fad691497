#pragma once

#include <sys/types.h>

#include <map>
#include <string>
#include <vector>

namespace otaria::cli::testing {

struct Outcome {
  int exit_code = -1;  ///< -1: ended by a signal
  std::string out;
  std::string err;
};

/// A program under test, started at once. The environment holds only PATH, HOME and what
/// `environment` adds.
class Program {
 public:
  using Environment = std::map<std::string, std::string>;
  /// `terminal`: standard output is a pseudo-terminal of 100 columns and 30 rows, TERM says xterm.
  Program(const std::string& path,
          std::vector<std::string> arguments,
          Environment environment = {},
          bool terminal = false);
  ~Program();  ///< kills what still runs
  Program(const Program&) = delete;
  Program& operator=(const Program&) = delete;

  void signal(int number) const;
  /// Reads until standard output or error contains `text`; false when the program ended or 30 s
  /// passed before.
  bool await(const std::string& text);
  /// Reads to the end.
  Outcome finish();
  [[nodiscard]] pid_t pid() const { return pid_; }
  [[nodiscard]] const std::string& out() const { return out_; }

 private:
  bool pump(int wait_ms);
  pid_t pid_ = -1;
  int out_fd_ = -1;
  int err_fd_ = -1;
  std::string out_;
  std::string err_;
};

Outcome run(const std::string& path,
            std::vector<std::string> arguments,
            Program::Environment environment = {});

}  // namespace otaria::cli::testing
