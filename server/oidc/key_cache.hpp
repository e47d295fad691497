#pragma once

#include <chrono>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "server/broker/clock.hpp"
#include "server/oidc/key_set.hpp"

namespace otaria::server::oidc {

using KeySet = std::shared_ptr<const std::vector<ProviderKey>>;

/// The provider's keys, fetched by a thread of its own: never on an event loop, and a provider that
/// is slow or away holds up nobody for longer than the patience.
///
/// When     at start(), every hour (10 s as long as there are none), and when a token names an unknown
///          key, at most once a minute: a stranger who makes up key ids causes one fetch a minute.
/// Errors   of the loader: logged; the keys before stay in force.
/// Threads  any.
class KeyCache {
 public:
  static constexpr std::int64_t seconds_between_questions = 60;
  static constexpr std::chrono::seconds usual_patience{3};

  /// Gives the text of a JWK Set, or throws std::runtime_error with the reason.
  using Loader = std::function<std::string()>;
  KeyCache(Loader loader, UnixClock clock, std::chrono::seconds patience = usual_patience)
      : loader_{std::move(loader)}, clock_{std::move(clock)}, patience_{patience} {}
  ~KeyCache();
  KeyCache(const KeyCache&) = delete;
  KeyCache& operator=(const KeyCache&) = delete;

  void start();
  [[nodiscard]] KeySet keys();
  /// The keys once they were fetched anew, if they may be; else as they are.
  KeySet newer();
  /// Fetches on the caller's thread.
  void load();

 private:
  void run();
  /// Until that load has ended, or the patience has.
  void await_load(std::unique_lock<std::mutex>& lock, std::uint64_t number);

  const Loader loader_;
  const UnixClock clock_;
  const std::chrono::seconds patience_;
  std::mutex mutex_;
  std::condition_variable changed_;
  KeySet keys_ = std::make_shared<const std::vector<ProviderKey>>();
  std::int64_t last_question_ = 0;                   ///< Unix seconds
  std::uint64_t loads_begun_ = 0, loads_ended_ = 0;  ///< numbers from 1; one at a time
  bool wanted_ = false, stopping_ = false;
  std::thread thread_;
};

/// Reads a file of at most largest_key_set_bytes.
KeyCache::Loader keys_in_file(std::string path);

/// Fetches from an https URL: certificate and name are checked, redirects are not followed, 5 s and
/// largest_key_set_bytes at most. `ca_file` empty: the system's CAs.
KeyCache::Loader keys_at_url(std::string url, std::string ca_file);

}  // namespace otaria::server::oidc
