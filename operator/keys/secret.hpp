#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace otaria::keys {

/// A passphrase or PIN; wiped from memory when it goes. Moves, never copies.
class Secret {
 public:
  Secret() = default;
  /// Takes the text over; the caller's string is wiped.
  explicit Secret(std::string&& text);
  Secret(Secret&& other) noexcept;
  Secret& operator=(Secret&& other) noexcept;
  Secret(const Secret&) = delete;
  Secret& operator=(const Secret&) = delete;
  ~Secret();

  [[nodiscard]] std::string_view view() const { return {text_.data(), text_.size()}; }
  [[nodiscard]] bool empty() const { return text_.empty(); }

 private:
  void wipe();
  std::vector<char> text_;  ///< a vector: a moved short std::string would leave a copy behind
};

inline constexpr std::size_t longest_secret = 1024;
inline constexpr std::size_t shortest_passphrase = 8;
inline constexpr const char* passphrase_variable = "OTARIA_KEY_PASSPHRASE";
inline constexpr const char* pin_variable = "OTARIA_KEY_PIN";

/// Where secrets come from; never a command line, which every process of the machine can read.
struct SecretSources {
  /// One for all keys, or as many as keys are opened, in their order; then the environment is not
  /// asked.
  std::vector<std::string> passphrase_files;
  /// Asks a person at the terminal, without echo. Returns an empty Secret when nobody is there.
  /// Empty: nobody is asked.
  std::function<Secret(std::string_view prompt)> ask;
};

/// First line of a file that nobody but its owner may read; a line end is dropped. Throws KeyError
/// (usage): unreadable, exposed, empty or longer than longest_secret. `what`: "passphrase", "PIN".
Secret read_secret_file(const std::string& path, std::string_view what);

/// The passphrase of an existing key, the `nth` that this process opens: from a file, the
/// environment, or a person. `name`: what the person is shown. Throws KeyError
/// (`passphrase_required`).
Secret passphrase_for(const SecretSources& sources, const std::string& name, std::size_t nth);
/// The passphrase of a new key: as above, but a person types it twice. Throws KeyError also for one
/// shorter than shortest_passphrase, or two that differ.
Secret new_passphrase(const SecretSources& sources, const std::string& name);
/// A token's PIN: from `pin_file` when it is named, else the environment, else a person.
/// Throws KeyError (`pin_required`).
Secret pin_for(const SecretSources& sources,
               const std::string& pin_file,
               const std::string& token_label);

/// Asks on the controlling terminal (/dev/tty) with echo off, restored also when a signal ends the
/// process. Empty when there is no terminal.
Secret ask_terminal(std::string_view prompt);

/// A file as it was read, and the rights on it.
struct SmallFile {
  std::string text;
  unsigned mode = 0;  ///< permission bits, from the same open file
};

/// Reads a whole regular file. Throws KeyError (usage, "<code>_unreadable"). `what` names it in
/// messages: "key file".
SmallFile read_small_file(const std::string& path,
                          std::string_view code,
                          std::string_view what,
                          std::size_t longest);
/// Throws KeyError (usage, "<code>_exposed") when group or others have any right on the file.
void refuse_exposed(const SmallFile& file,
                    const std::string& path,
                    std::string_view code,
                    std::string_view what);

/// Overwrites a string's memory and empties it.
void wipe(std::string& text);

}  // namespace otaria::keys
