#include "operator/keys/signer_command.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <optional>
#include <system_error>
#include <vector>

#include "operator/keys/key_error.hpp"
#include "operator/keys/secret.hpp"

// POSIX leaves its declaration to the program.
extern char** environ;  // NOLINT(readability-redundant-declaration)

namespace otaria::keys {
namespace {

using Clock = std::chrono::steady_clock;
// A signature of 384 bytes is 512 characters; the rest is a line end.
constexpr std::size_t longest_answer = 1024;

KeyError failed(const std::string& program, const std::string& why) {
  return refusal("signer_failed",
                 fmt::format("The signer program {} {}.", program, why),
                 "Run it by hand: it reads a digest in hex and prints the signature.");
}

/// Two ends of a pipe.
class Pipe {
 public:
  Pipe() {
    if (::pipe2(ends_.data(), O_CLOEXEC) != 0)
      throw std::system_error(errno, std::generic_category(), "pipe");
  }
  ~Pipe() {
    close_reading();
    close_writing();
  }
  Pipe(const Pipe&) = delete;
  Pipe& operator=(const Pipe&) = delete;
  [[nodiscard]] int reading() const { return ends_[0]; }
  [[nodiscard]] int writing() const { return ends_[1]; }
  void close_reading() { close_end(ends_[0]); }
  void close_writing() { close_end(ends_[1]); }

 private:
  static void close_end(int& end) {
    if (end >= 0) ::close(end);
    end = -1;
  }
  std::array<int, 2> ends_{-1, -1};
};

/// The environment without the secrets that are meant for us.
std::vector<char*> environment_for_child() {
  std::vector<char*> kept;
  for (char** at = environ; *at != nullptr; ++at) {
    const std::string_view entry{*at};
    const bool secret = entry.starts_with(std::string{passphrase_variable} + "=") ||
                        entry.starts_with(std::string{pin_variable} + "=");
    if (!secret) kept.push_back(*at);
  }
  kept.push_back(nullptr);
  return kept;
}

/// A child that is killed and reaped when nobody waited for it.
class Child {
 public:
  Child(const std::string& program, const Pipe& to, const Pipe& from) {
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    ::posix_spawn_file_actions_init(&actions);
    ::posix_spawnattr_init(&attributes);
    ::posix_spawn_file_actions_adddup2(&actions, to.reading(), STDIN_FILENO);
    ::posix_spawn_file_actions_adddup2(&actions, from.writing(), STDOUT_FILENO);
    sigset_t ours;
    ::sigemptyset(&ours);
    ::sigaddset(&ours, SIGPIPE);  // we ignore it; a program of others counts on the default
    ::posix_spawnattr_setsigdefault(&attributes, &ours);
    ::posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGDEF);
    std::string name = program;
    std::array<char*, 2> arguments{name.data(), nullptr};
    std::vector<char*> environment = environment_for_child();
    const int error = ::posix_spawnp(
        &pid_, name.c_str(), &actions, &attributes, arguments.data(), environment.data());
    ::posix_spawn_file_actions_destroy(&actions);
    ::posix_spawnattr_destroy(&attributes);
    if (error != 0) {
      pid_ = -1;
      throw failed(program, "cannot be started: " + std::generic_category().message(error));
    }
  }
  ~Child() {
    if (pid_ <= 0) return;
    ::kill(pid_, SIGKILL);
    while (::waitpid(pid_, nullptr, 0) < 0 && errno == EINTR) {
    }
  }
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;
  /// Its status as waitpid(2) gives it; nothing when it still runs at the deadline.
  std::optional<int> wait_until(Clock::time_point deadline) {
    int status = 0;
    while (::waitpid(pid_, &status, WNOHANG) <= 0) {
      if (Clock::now() >= deadline) return std::nullopt;
      ::poll(nullptr, 0, 10);
    }
    pid_ = -1;
    return status;
  }

 private:
  pid_t pid_ = -1;
};

/// Everything up to the end of the stream.
std::string read_answer(const std::string& program, int descriptor, Clock::time_point deadline) {
  std::string answer;
  std::array<char, 512> piece{};
  while (true) {
    const auto left =
        std::chrono::duration_cast<std::chrono::milliseconds>(deadline - Clock::now()).count();
    if (left <= 0) throw failed(program, "did not answer in time");
    pollfd waiting{descriptor, POLLIN, 0};
    const int ready = ::poll(&waiting, 1, static_cast<int>(left));
    if (ready < 0 && errno == EINTR) throw failed(program, "was interrupted");
    if (ready <= 0) continue;
    const ssize_t got = ::read(descriptor, piece.data(), piece.size());
    if (got < 0) throw failed(program, "cannot be read: " + std::generic_category().message(errno));
    if (got == 0) return answer;
    answer.append(piece.data(), static_cast<std::size_t>(got));
    if (answer.size() > longest_answer)
      throw failed(program, fmt::format("printed more than {} bytes", longest_answer));
  }
}

std::string answer_of(const std::string& program,
                      const contract::Digest& digest,
                      Clock::time_point deadline) {
  Pipe to;
  Pipe from;
  Child child{program, to, from};
  from.close_writing();
  const auto hex = contract::hex_of(digest);
  const std::string question = std::string{hex.data(), hex.size()} + "\n";
  // 65 bytes fit into every pipe: the write never waits. Our own reading end stays open until then,
  // or a program that ended at once would end us too (SIGPIPE).
  const ssize_t put = ::write(to.writing(), question.data(), question.size());
  to.close_writing();
  to.close_reading();
  std::string answer = read_answer(program, from.reading(), deadline);
  const auto ended = child.wait_until(deadline);
  if (!ended) throw failed(program, "did not end in time");
  const int status = *ended;
  if (WIFSIGNALED(status))
    throw failed(program, fmt::format("was ended by signal {}", WTERMSIG(status)));
  if (WEXITSTATUS(status) == 127) throw failed(program, "cannot be started: status 127");
  if (WEXITSTATUS(status) != 0)
    throw failed(program, fmt::format("ended with status {}", WEXITSTATUS(status)));
  if (put != static_cast<ssize_t>(question.size()))
    throw failed(program, "could not be given the digest");
  return answer;
}

std::string_view without_line_end(std::string_view text) {
  if (text.ends_with('\n')) text.remove_suffix(1);
  if (text.ends_with('\r')) text.remove_suffix(1);
  return text;
}

}  // namespace

std::vector<std::uint8_t> SignerCommand::sign(const contract::Digest& digest) {
  const std::string answer = answer_of(program_, digest, Clock::now() + time_limit_);
  const auto decoded = crypto::from_base64url(without_line_end(answer));
  if (!decoded || decoded->empty()) {
    throw refusal("signer_malformed",
                  fmt::format("The signer program {} printed no base64url signature.", program_),
                  "It prints r and s, 32 bytes each, as base64url without padding; not DER.");
  }
  std::vector<std::uint8_t> signature{decoded->begin(), decoded->end()};
  crypto::OpenSslVerifier verifier;
  if (!verifier.verify(public_.algorithm, public_.bytes, digest, signature)) {
    throw refusal("bad_signature",
                  fmt::format("What the signer program {} printed ({} bytes) is no signature by "
                              "key {}.",
                              program_,
                              signature.size(),
                              public_.key_id()),
                  "Check that the public key named with it belongs to the program's key.");
  }
  return signature;
}

}  // namespace otaria::keys
