#include "operator/cli/testing/program.hpp"

#include <fcntl.h>
#include <poll.h>
#include <pty.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <cstdlib>
#include <stdexcept>

namespace otaria::cli::testing {
namespace {

std::vector<std::string> assignments(Program::Environment environment) {
  for (const char* name : {"PATH", "HOME"}) {
    const char* value = std::getenv(name);
    if (value != nullptr) environment.emplace(name, value);
  }
  std::vector<std::string> list;
  list.reserve(environment.size());
  for (const auto& [name, value] : environment) list.push_back(name + "=" + value);
  return list;
}

std::vector<char*> pointers(std::vector<std::string>& words) {
  std::vector<char*> list;
  list.reserve(words.size() + 1);
  for (auto& word : words) list.push_back(word.data());
  list.push_back(nullptr);
  return list;
}

/// Appends what is there; closes at the end of the stream (EIO: the other side of a pseudo-terminal
/// closed).
void read_some(int& descriptor, std::string& into) {
  std::array<char, 4096> buffer;
  const ssize_t count = ::read(descriptor, buffer.data(), buffer.size());
  if (count > 0) {
    into.append(buffer.data(), static_cast<std::size_t>(count));
  } else {
    ::close(descriptor);
    descriptor = -1;
  }
}

}  // namespace

Program::Program(const std::string& path,
                 std::vector<std::string> arguments,
                 Environment environment,
                 bool terminal) {
  if (terminal) environment.emplace("TERM", "xterm");
  auto variables = assignments(std::move(environment));
  arguments.insert(arguments.begin(), path);
  auto argument_list = pointers(arguments);
  auto variable_list = pointers(variables);
  std::array<int, 2> out{};
  std::array<int, 2> err{};
  if (terminal) {
    winsize size{30, 100, 0, 0};
    if (::openpty(&out[0], &out[1], nullptr, nullptr, &size) != 0)
      throw std::runtime_error("openpty");
    ::fcntl(out[0], F_SETFD, FD_CLOEXEC);
    ::fcntl(out[1], F_SETFD, FD_CLOEXEC);
  } else if (::pipe2(out.data(), O_CLOEXEC) != 0) {
    throw std::runtime_error("pipe2");
  }
  if (::pipe2(err.data(), O_CLOEXEC) != 0) throw std::runtime_error("pipe2");
  pid_ = ::fork();
  if (pid_ == 0) {
    // No controlling terminal: a program that asks for a passphrase must not find the developer's.
    ::setsid();
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    ::dup2(out[1], STDOUT_FILENO);
    ::dup2(err[1], STDERR_FILENO);
    ::execve(path.c_str(), argument_list.data(), variable_list.data());
    ::_exit(127);
  }
  ::close(out[1]);
  ::close(err[1]);
  out_fd_ = out[0];
  err_fd_ = err[0];
}

Program::~Program() {
  if (pid_ > 0) {
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
  }
  if (out_fd_ >= 0) ::close(out_fd_);
  if (err_fd_ >= 0) ::close(err_fd_);
}

void Program::signal(int number) const {
  if (pid_ > 0) ::kill(pid_, number);
}

bool Program::pump(int wait_ms) {
  if (out_fd_ < 0 && err_fd_ < 0) return false;
  std::array<pollfd, 2> waits{pollfd{out_fd_, POLLIN, 0}, pollfd{err_fd_, POLLIN, 0}};
  ::poll(waits.data(), waits.size(), wait_ms);
  if (waits[0].revents != 0) read_some(out_fd_, out_);
  if (waits[1].revents != 0) read_some(err_fd_, err_);
  return true;
}

bool Program::await(const std::string& text) {
  const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(30);
  const auto there = [&] {
    return out_.find(text) != std::string::npos || err_.find(text) != std::string::npos;
  };
  while (!there() && std::chrono::steady_clock::now() < until) {
    if (!pump(100)) break;
  }
  return there();
}

Outcome Program::finish() {
  while (pump(-1)) {
  }
  int status = 0;
  ::waitpid(pid_, &status, 0);
  pid_ = -1;
  return {WIFEXITED(status) ? WEXITSTATUS(status) : -1, out_, err_};
}

Outcome run(const std::string& path,
            std::vector<std::string> arguments,
            Program::Environment environment) {
  return Program(path, std::move(arguments), std::move(environment)).finish();
}

}  // namespace otaria::cli::testing
