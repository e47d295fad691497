#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "contract/token/checker.hpp"
#include "server/broker/plugin/limited_log.hpp"
#include "server/broker/plugin/sessions.hpp"
#include "server/broker/plugin/settings.hpp"
#include "server/broker/plugin/watched_file.hpp"

namespace otaria::broker_plugin {

/// The plugin without Mosquitto: who may connect, and who may do what.
///
/// Thread  the broker's one thread; nothing here blocks but two stat() and, after a change, the
///         reading of two small files a second.
/// Errors  a file that cannot be read later on leaves what was read before in force; every call
///         may throw for want of memory, which the caller turns into a refusal.
/// Times   Unix seconds, passed in.
/// Source  reference broker authentication, section 6.
class Gate {
 public:
  /// Kicks a client by its id, its will being sent.
  using Kick = std::function<void(const std::string& client_id)>;
  /// Clients kicked in one tick: each one takes the broker's time.
  static constexpr std::size_t max_kicks = 100;

  Gate(Settings settings, LogSink log);

  /// Reads both files. False: there is no usable key set, or a denylist that cannot be read; the
  /// log says why, and the broker must not start. A denylist that does not exist yet is empty.
  bool start(std::int64_t now_s);

  /// A client connects, or the broker asks again about one it has. Nothing: the broker has none.
  bool authenticate(const void* client,
                    std::optional<std::string_view> client_id,
                    std::optional<std::string_view> username,
                    std::optional<std::string_view> password,
                    std::int64_t now_s);
  bool authorize(Access access,
                 std::optional<std::string_view> client_id,
                 std::optional<std::string_view> username,
                 std::string_view topic,
                 std::int64_t now_s);
  void disconnected(const void* client, std::optional<std::string_view> client_id);

  /// Call as often as you like; works once a second: reads files that changed, kicks whose token
  /// has ended and whom the denylist or a withdrawn key names.
  void tick(std::int64_t now_s, const Kick& kick);

 private:
  token::Refusal judge(const void* client,
                       std::optional<std::string_view> client_id,
                       std::optional<std::string_view> username,
                       std::optional<std::string_view> password,
                       std::int64_t now_s);
  void refresh(std::int64_t now_s);
  bool refresh_keys(std::int64_t now_s);
  bool refresh_denylist(std::int64_t now_s);
  void take_over(token::KeySet keys);
  void doom(std::vector<std::string> client_ids);
  void complain(std::string& last, const WatchedFile& file, const std::string& what);

  LimitedLog log_;
  token::TokenChecker checker_;
  WatchedFile keys_file_;
  std::optional<WatchedFile> denylist_file_;
  token::KeySet keys_;
  std::uint64_t key_set_ = 0;  ///< generation of keys_
  token::Denylist denied_;
  bool denylist_read_ = false;
  Sessions sessions_;
  std::deque<std::string> doomed_;  ///< to be kicked; already without rights
  std::int64_t ticked_s_ = 0;
  std::string keys_complaint_;  ///< last one logged; empty: all is well
  std::string denylist_complaint_;
};

}  // namespace otaria::broker_plugin
