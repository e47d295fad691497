#include "operator/keys/secret.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <openssl/crypto.h>
#include <sys/stat.h>
#include <termios.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <system_error>

#include "operator/keys/key_error.hpp"

namespace otaria::keys {
namespace {

/// An open file.
class Descriptor {
 public:
  explicit Descriptor(int number) : number_{number} {}
  ~Descriptor() {
    if (number_ >= 0) ::close(number_);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  [[nodiscard]] int get() const { return number_; }

 private:
  int number_;
};

std::string reason(int error) {
  return std::generic_category().message(error);
}

/// Turns the terminal's echo off. Signals that would stop or end the process at once wait
/// meanwhile: they must not leave a terminal that shows nothing. SIGINT and SIGTERM have handlers
/// in our programs; they end the read.
class WithoutEcho {
 public:
  explicit WithoutEcho(int terminal) : terminal_{terminal} {
    sigset_t keyboard;
    ::sigemptyset(&keyboard);
    for (const int number : {SIGQUIT, SIGTSTP, SIGHUP}) ::sigaddset(&keyboard, number);
    ::sigprocmask(SIG_BLOCK, &keyboard, &before_);
    changed_ = ::tcgetattr(terminal_, &saved_) == 0;
    if (!changed_) return;
    termios quiet = saved_;
    quiet.c_lflag &= ~static_cast<tcflag_t>(ECHO | ECHONL);
    changed_ = ::tcsetattr(terminal_, TCSAFLUSH, &quiet) == 0;
  }
  ~WithoutEcho() {
    if (changed_) ::tcsetattr(terminal_, TCSAFLUSH, &saved_);
    ::sigprocmask(SIG_SETMASK, &before_, nullptr);
  }
  WithoutEcho(const WithoutEcho&) = delete;
  WithoutEcho& operator=(const WithoutEcho&) = delete;
  [[nodiscard]] bool quiet() const { return changed_; }

 private:
  int terminal_;
  bool changed_ = false;
  termios saved_{};
  sigset_t before_{};
};

bool write_all(int descriptor, std::string_view text) {
  while (!text.empty()) {
    const ssize_t put = ::write(descriptor, text.data(), text.size());
    if (put <= 0) return false;
    text.remove_prefix(static_cast<std::size_t>(put));
  }
  return true;
}

Secret from_environment(const char* variable) {
  const char* value = std::getenv(variable);
  return value == nullptr ? Secret{} : Secret{std::string{value}};
}

Secret asked(const SecretSources& sources, const std::string& prompt) {
  return sources.ask ? sources.ask(prompt) : Secret{};
}

const std::string& nth_file(const std::vector<std::string>& files, std::size_t nth) {
  if (files.size() > 1 && nth >= files.size()) {
    throw usage_error(
        "passphrase_files",
        fmt::format("There are {} passphrase files, and a further key to open.", files.size()),
        "Name one --passphrase-file for all keys, or one for each, in their order.");
  }
  return files.size() == 1 ? files.front() : files[nth];
}

}  // namespace

Secret::Secret(std::string&& text) : text_{text.begin(), text.end()} {
  keys::wipe(text);
}

Secret::Secret(Secret&& other) noexcept : text_{std::move(other.text_)} {}

Secret& Secret::operator=(Secret&& other) noexcept {
  if (this == &other) return *this;
  wipe();
  text_ = std::move(other.text_);
  return *this;
}

Secret::~Secret() {
  wipe();
}

void Secret::wipe() {
  if (!text_.empty()) ::OPENSSL_cleanse(text_.data(), text_.size());
  text_.clear();
}

void wipe(std::string& text) {
  if (!text.empty()) ::OPENSSL_cleanse(text.data(), text.size());
  text.clear();
}

SmallFile read_small_file(const std::string& path,
                          std::string_view code,
                          std::string_view what,
                          std::size_t longest) {
  const auto refuse = [&](const std::string& why, const std::string& hint) {
    return usage_error(
        fmt::format("{}_unreadable", code), fmt::format("The {} {} {}.", what, path, why), hint);
  };
  // O_NONBLOCK: a pipe somebody left there must not hold us up.
  const Descriptor file{::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK)};
  struct stat about {};
  if (file.get() < 0 || ::fstat(file.get(), &about) != 0)
    throw refuse("cannot be read: " + reason(errno), "Check the path and who may read it.");
  if (!S_ISREG(about.st_mode))
    throw refuse("is no file", "Name the file itself, not a folder or a device.");
  if (static_cast<std::uint64_t>(about.st_size) > longest)
    throw refuse(fmt::format("has {} bytes, more than {}", about.st_size, longest),
                 "Name the right file.");
  SmallFile read{std::string(static_cast<std::size_t>(about.st_size), '\0'),
                 about.st_mode & 07777U};
  std::size_t held = 0;
  while (held < read.text.size()) {
    const ssize_t got = ::read(file.get(), read.text.data() + held, read.text.size() - held);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) break;
    held += static_cast<std::size_t>(got);
  }
  read.text.resize(held);
  return read;
}

void refuse_exposed(const SmallFile& file,
                    const std::string& path,
                    std::string_view code,
                    std::string_view what) {
  if ((file.mode & (S_IRWXG | S_IRWXO)) == 0) return;
  throw usage_error(
      fmt::format("{}_exposed", code),
      fmt::format("The {} {} is open to other users (mode {:04o}).", what, path, file.mode),
      fmt::format("chmod 600 {}", path));
}

Secret read_secret_file(const std::string& path, std::string_view what) {
  const std::string code = what == "PIN" ? "pin_file" : "passphrase_file";
  const std::string name = fmt::format("{} file", what);
  SmallFile file = read_small_file(path, code, name, longest_secret + 2);
  std::string& text = file.text;
  refuse_exposed(file, path, code, name);
  const std::size_t end = text.find_first_of(std::string_view{"\r\n\0", 3});
  std::string line = text.substr(0, end);
  wipe(text);
  if (line.empty() || line.size() > longest_secret) {
    wipe(line);
    throw usage_error(
        code + "_malformed",
        fmt::format("The {} file {} does not begin with a line of 1 to {} characters.",
                    what,
                    path,
                    longest_secret),
        fmt::format("Write the {} alone into it.", what));
  }
  return Secret{std::move(line)};
}

Secret passphrase_for(const SecretSources& sources, const std::string& name, std::size_t nth) {
  if (!sources.passphrase_files.empty())
    return read_secret_file(nth_file(sources.passphrase_files, nth), "passphrase");
  Secret given = from_environment(passphrase_variable);
  if (given.empty()) given = asked(sources, fmt::format("Passphrase of {}: ", name));
  if (given.empty()) {
    throw usage_error("passphrase_required",
                      fmt::format("{} is encrypted and no passphrase was given.", name),
                      fmt::format("Run at a terminal, or name a file with --passphrase-file F, or "
                                  "set {}.",
                                  passphrase_variable));
  }
  return given;
}

Secret new_passphrase(const SecretSources& sources, const std::string& name) {
  Secret chosen;
  if (!sources.passphrase_files.empty()) {
    chosen = read_secret_file(sources.passphrase_files.front(), "passphrase");
  } else if (chosen = from_environment(passphrase_variable); chosen.empty()) {
    chosen = asked(sources, fmt::format("New passphrase for {}: ", name));
    if (!chosen.empty() && asked(sources, "The same again: ").view() != chosen.view()) {
      throw usage_error("passphrases_differ",
                        "The two passphrases differ; no key was made.",
                        "Run the command again.");
    }
  }
  if (chosen.empty()) {
    throw usage_error("passphrase_required",
                      fmt::format("{} needs a passphrase and none was given.", name),
                      fmt::format("Run at a terminal, or name a file with --passphrase-file F, or "
                                  "set {}.",
                                  passphrase_variable));
  }
  if (chosen.view().size() < shortest_passphrase) {
    throw usage_error("passphrase_too_short",
                      fmt::format("The passphrase has {} characters; {} are the least.",
                                  chosen.view().size(),
                                  shortest_passphrase),
                      "Take five random words or more.");
  }
  return chosen;
}

Secret pin_for(const SecretSources& sources,
               const std::string& pin_file,
               const std::string& token_label) {
  if (!pin_file.empty()) return read_secret_file(pin_file, "PIN");
  Secret given = from_environment(pin_variable);
  if (given.empty()) given = asked(sources, fmt::format("PIN of token {}: ", token_label));
  if (given.empty()) {
    throw usage_error("pin_required",
                      fmt::format("Token {} asks for a PIN and none was given.", token_label),
                      fmt::format("Run at a terminal, or append ?pin-source=file:PATH to the "
                                  "reference, or set {}.",
                                  pin_variable));
  }
  return given;
}

Secret ask_terminal(std::string_view prompt) {
  const Descriptor terminal{::open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY)};
  if (terminal.get() < 0) return {};
  const WithoutEcho silence{terminal.get()};
  if (!silence.quiet() || !write_all(terminal.get(), prompt)) return {};
  std::string line(longest_secret + 1, '\0');
  const ssize_t got = ::read(terminal.get(), line.data(), line.size());
  write_all(terminal.get(), "\n");
  line.resize(got < 0 ? 0 : static_cast<std::size_t>(got));
  std::string typed = line.substr(0, line.find_first_of("\r\n"));
  wipe(line);
  return Secret{std::move(typed)};
}

}  // namespace otaria::keys
