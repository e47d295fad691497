#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

namespace otaria::server {

/// A request that was turned away, as the audit log tells it.
struct Denial {
  std::string actor;  ///< a token's shown form; `anonymous` when nobody is known
  std::string source;
  std::string verb;            ///< method and path pattern
  std::string subject;         ///< the path
  std::string code;            ///< `token_invalid`, `forbidden`, …
  std::int64_t at = 0;         ///< Unix seconds
  std::uint64_t repeated = 0;  ///< further ones like it since, when told as a summary
};

/// Keeps denials from filling the audit log: the first of its kind (actor, source and code) is
/// written at once, those of the minute after it are counted and written as one row. At most
/// `most_kinds` are told apart; what goes beyond is counted together under the source `others`.
/// Threads  any.
class Denials {
 public:
  static constexpr std::int64_t window_s = 60;
  static constexpr std::size_t most_kinds = 256;

  /// The denial to write now; nothing: it was counted.
  std::optional<Denial> note(const Denial& denial);
  /// Summaries of windows that are over; call every second or so. `all`: of every window.
  std::vector<Denial> due(std::int64_t now, bool all = false);

 private:
  std::mutex mutex_;
  std::map<std::string, Denial> kinds_;
};

}  // namespace otaria::server
