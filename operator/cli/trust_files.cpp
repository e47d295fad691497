#include "operator/cli/trust_files.hpp"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <ctime>
#include <filesystem>

#include "contract/trust/signed_file.hpp"
#include "operator/image/image_file.hpp"
#include "operator/keys/key_list_signing.hpp"

namespace otaria::cli {
namespace {

// 2024-01-01: no machine that signs is older than this code.
constexpr std::time_t earliest_clock = 1704067200;

}  // namespace

keys::KeyOpener opener_of(const KeyOptions& options) {
  return keys::KeyOpener{{{options.passphrase_files, keys::ask_terminal}, options.development}};
}

LoadedList load_key_list(Context& context, const std::string& file) {
  LoadedList loaded;
  std::string text;
  if (!file.empty()) {
    text = read_text(file, contract::key_list_kind.file_bytes);
    loaded.source = file;
  } else {
    auto answer = context.client().file("/keys.jws");
    if (!answer) {
      throw Failure(exit_refused,
                    "no_key_list",
                    fmt::format("{} has no key list.", context.client().server()),
                    "Publish one: otaria keylist publish FILE. docs/guide/keys.md begins at zero.");
    }
    text = std::move(*answer);
    loaded.source = context.client().server();
  }
  loaded.list = keys::read_key_list_text(text);
  // What a network gave us must at least be signed by the roots that it names.
  if (file.empty()) {
    if (const auto verdict = keys::judge(text, ""); !verdict.ok()) throw keys::words_of(verdict);
  }
  loaded.draft = keys::view_of(loaded.list.payload);
  return loaded;
}

std::string read_text(const std::string& path, std::size_t longest) {
  const auto read = image::read_file(path, longest);
  if (const auto* unreadable = std::get_if<image::Unreadable>(&read)) {
    throw Failure(exit_usage,
                  "no_such_file",
                  fmt::format("{} cannot be read: {}.", path, unreadable->reason),
                  "Check the path and who may read it.");
  }
  const auto& bytes = std::get<std::vector<std::uint8_t>>(read);
  return {bytes.begin(), bytes.end()};
}

void write_text(const std::string& path, const std::string& text) {
  const std::string reason = image::write_file(path, {text.begin(), text.end()});
  if (reason.empty()) return;
  throw Failure(exit_usage,
                "cannot_write",
                fmt::format("{} cannot be written: {}.", path, reason),
                "Name another place with --out FILE.");
}

void refuse_existing(const std::string& path) {
  std::error_code error;
  if (!std::filesystem::exists(std::filesystem::symlink_status(path, error))) return;
  throw Failure(exit_usage,
                "file_exists",
                fmt::format("{} exists already; nothing was written.", path),
                "Name another file, or remove it yourself.");
}

std::uint32_t unix_now() {
  const std::time_t now = std::time(nullptr);
  if (now < earliest_clock || now > static_cast<std::time_t>(UINT32_MAX)) {
    throw Failure(exit_usage,
                  "clock_not_set",
                  "This machine's clock is not set; signed times would be wrong for good.",
                  "Set it: date --set '2026-11-24 20:00'.");
  }
  return static_cast<std::uint32_t>(now);
}

std::string join(const std::vector<std::string>& words, const char* between) {
  return fmt::format("{}", fmt::join(words, between));
}

std::string day_of(std::uint32_t unix_seconds) {
  return fmt::format("{:%Y-%m-%d}", fmt::gmtime(static_cast<std::time_t>(unix_seconds)));
}

}  // namespace otaria::cli
