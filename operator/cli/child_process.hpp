#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

namespace otaria::cli {

/// A program run as our child that ends when we end, however we end.
///
/// Output   both streams are appended to a log file; standard input is empty.
/// Signals  the child sits in its own process group: a Ctrl-C at the terminal reaches only us, and
/// we stop it in order. Thread   the one that start() ran on must live as long as the child
/// (prctl(2), PR_SET_PDEATHSIG).
class ChildProcess {
 public:
  ChildProcess(std::string name, std::vector<std::string> command, std::string log_file)
      : name_(std::move(name)), command_(std::move(command)), log_file_(std::move(log_file)) {}
  ~ChildProcess();  ///< kills and reaps what still runs
  ChildProcess(const ChildProcess&) = delete;
  ChildProcess& operator=(const ChildProcess&) = delete;

  /// Throws std::system_error when no process can be made. A program that cannot be executed ends
  /// with status 127.
  void start();
  /// True, with `how`, when it ended since the last call.
  bool has_ended(std::string& how);
  void signal(int number) const;
  [[nodiscard]] bool running() const { return pid_ > 0; }
  [[nodiscard]] pid_t pid() const { return pid_; }
  [[nodiscard]] const std::string& name() const { return name_; }
  [[nodiscard]] const std::string& log_file() const { return log_file_; }
  /// The last lines it wrote.
  [[nodiscard]] std::string log_tail(std::size_t lines) const;

 private:
  std::string name_;
  std::vector<std::string> command_;
  std::string log_file_;
  pid_t pid_ = -1;
};

/// The full path of a program: beside our own executable, then in PATH, then in `more`; empty when
/// nowhere.
std::string find_program(const std::string& name, const std::vector<std::string>& more = {});

}  // namespace otaria::cli
