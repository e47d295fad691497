#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "contract/digest.hpp"
#include "contract/token/checker.hpp"

namespace otaria::broker_plugin {

/// What a client wants to do with a topic; the broker's words.
enum class Access : std::uint8_t {
  read,   ///< a message is about to be queued for it
  write,  ///< it publishes, or its will is sent
  subscribe,
  unsubscribe,
};

/// Who was admitted with which rights, by client id: the token binds an id to one device, which
/// bounds the table by the fleet.
///
/// Pointer  `client` is the broker's own, compared and never followed: the broker uses the same
///          address again for the next client, and tells of a takeover's old client last.
/// Thread   the broker's one thread.
/// Times    Unix seconds, passed in.
/// Source   reference broker authentication, sections 5.3 and 6.
class Sessions {
 public:
  /// Seconds that an entry is kept after its token's end: the will of a lost client may be late.
  static constexpr std::int64_t kept_after_end_s = 600;

  /// Replaces the entry of the token's client id. `token` is the digest of the token's text,
  /// `key_set` the generation of the keys that it was checked with.
  void admit(const void* client,
             token::Claims claims,
             const contract::Digest& token,
             std::uint64_t key_set,
             std::int64_t now_s);

  /// The claims of a client that comes with the very token which was checked last with the same
  /// keys and is not at its end; else nullptr. Valid until the table changes.
  [[nodiscard]] const token::Claims* recall(std::string_view client_id,
                                            std::string_view username,
                                            const contract::Digest& token,
                                            std::uint64_t key_set,
                                            std::int64_t now_s) const;
  /// After recall(): the client is connected, now by this pointer.
  void resume(const void* client, std::string_view client_id);

  [[nodiscard]] bool may(Access access,
                         std::string_view client_id,
                         std::string_view username,
                         std::string_view topic,
                         std::int64_t now_s) const;

  /// From now on the client may only send its will. Nothing for a client that is not the admitted
  /// one (a takeover's old one).
  void close(const void* client, std::string_view client_id);

  /// Connected clients whose token has ended, at most `limit`; their entries are closed. Forgets
  /// entries that are past kept_after_end_s.
  std::vector<std::string> take_ended(std::int64_t now_s, std::size_t limit);
  /// Every connected client whose claims the predicate names; their entries are closed and give no
  /// right but the will from here on.
  std::vector<std::string> take_if(const std::function<bool(const token::Claims&)>& named);

  /// Whether a client that was taken has not come back since.
  [[nodiscard]] bool is_closing(std::string_view client_id) const;

  [[nodiscard]] std::size_t size() const { return entries_.size(); }

 private:
  enum class Phase : std::uint8_t { active, closing };
  struct Entry {
    const void* client = nullptr;
    token::Claims claims;
    contract::Digest token;
    std::uint64_t key_set = 0;
    std::int64_t end_s = 0;   ///< first second without rights
    std::int64_t look_s = 0;  ///< where it stands in `looks_`
    Phase phase = Phase::active;
    bool withdrawn = false;  ///< denied, or its key is: whatever `end_s` says
  };
  struct Hash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const {
      return std::hash<std::string_view>{}(text);
    }
  };
  using Entries = std::unordered_map<std::string, Entry, Hash, std::equal_to<>>;

  void look_at(const std::string& client_id, Entry& entry, std::int64_t when_s);

  Entries entries_;
  /// When to look at an entry next, earliest first; each entry stands here once. The ids are the
  /// keys of `entries_`, which do not move.
  std::set<std::pair<std::int64_t, std::string_view>> looks_;
};

}  // namespace otaria::broker_plugin
