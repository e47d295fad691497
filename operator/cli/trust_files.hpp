#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "operator/cli/context.hpp"
#include "operator/keys/key_list_draft.hpp"
#include "operator/keys/key_opener.hpp"

/// What the verbs of keys, key lists and signed releases share.
namespace otaria::cli {

/// How keys are opened, as a command line says it.
struct KeyOptions {
  std::vector<std::string> passphrase_files;
  bool development = false;
};
keys::KeyOpener opener_of(const KeyOptions& options);

/// A key list, and where it came from.
struct LoadedList {
  keys::KeyListText list;
  keys::KeyListDraft draft;
  std::string source;  ///< for people: the file's name, or the server's
};
/// From `file`; when it is empty, the newest of the server. Throws Failure: `no_key_list`.
LoadedList load_key_list(Context& context, const std::string& file);

/// Throws Failure (usage): `no_such_file`, `too_large`.
std::string read_text(const std::string& path, std::size_t longest);
/// Written beside its place and renamed; everybody may read it. Throws Failure.
void write_text(const std::string& path, const std::string& text);
/// Throws Failure (usage, `file_exists`) when there is something of that name.
void refuse_existing(const std::string& path);

/// Unix seconds. Throws Failure when this machine's clock is not set.
std::uint32_t unix_now();

std::string join(const std::vector<std::string>& words, const char* between);
/// `2026-11-24`, UTC.
std::string day_of(std::uint32_t unix_seconds);

}  // namespace otaria::cli
