#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

namespace otaria::token {

/// Who is refused although his token is good: one entry per line, `sub:<subject>` or
/// `jti:<token id>`, optionally followed by ` until:<Unix seconds>`. Lines that are empty or begin
/// with `#` are passed over.
/// Source  reference broker authentication, section 6.
class Denylist {
 public:
  static constexpr std::size_t longest_name = 64;
  static constexpr std::size_t max_bytes = std::size_t{16} * 1024 * 1024;

  struct Reading;
  /// One line that cannot be read makes the whole list unreadable: half a list would let in
  /// somebody who was shut out. Never throws but for want of memory.
  static Reading parse(std::string_view text);

  /// Whether an entry for the subject or the token is in force at `now_s`. An entry without end is
  /// always in force. An empty token id is never denied.
  [[nodiscard]] bool denies(std::string_view subject,
                            std::string_view token_id,
                            std::int64_t now_s) const;
  [[nodiscard]] std::size_t size() const { return subjects_.size() + token_ids_.size(); }

 private:
  struct Hash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const {
      return std::hash<std::string_view>{}(text);
    }
  };
  /// Name to the first second at which it is admitted again.
  using Entries = std::unordered_map<std::string, std::int64_t, Hash, std::equal_to<>>;

  static bool is_in_force(const Entries& entries, std::string_view name, std::int64_t now_s);
  bool add(std::string_view line);

  Entries subjects_;
  Entries token_ids_;
};

/// A list, or why there is none.
struct Denylist::Reading {
  std::optional<Denylist> list;
  std::string error;  ///< one sentence for a log; empty with a list
};

}  // namespace otaria::token
