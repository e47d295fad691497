#pragma once

#include <mutex>
#include <set>
#include <string>
#include <variant>
#include <vector>

#include "server/access/address.hpp"
#include "server/access/caller.hpp"
#include "server/access/code_counters.hpp"
#include "server/access/denials.hpp"
#include "server/access/lockout.hpp"
#include "server/broker/clock.hpp"
#include "server/http/message.hpp"
#include "server/store/store.hpp"

namespace otaria::server {

struct AccessSettings {
  bool open = false;          ///< nobody is asked for a token; development on loopback only
  bool development = false;   ///< as the operator started the server
  bool open_metrics = false;  ///< /metrics asks nobody
  std::vector<IpNetwork> trusted_proxies;  ///< whose X-Forwarded-For is believed
};

/// Lets a request through to its handler, or answers in its place.
///
/// Answers  401 with WWW-Authenticate (RFC 6750, section 3), 403 `forbidden`, 429
///          `too_many_failures` with Retry-After. None of them says whether a token's id exists.
/// Audit    every denial, repeats of a minute in one row.
/// Threads  any; reads the store for each request, so a revocation holds at once.
class Gate {
 public:
  Gate(Store& store, AccessSettings settings, UnixClock clock, BearerVerifier* foreign_tokens)
      : store_{store},
        settings_{std::move(settings)},
        clock_{std::move(clock)},
        foreign_tokens_{foreign_tokens} {}

  /// `verb` names the endpoint in the audit log.
  std::variant<Caller, Response> admit(const Request& request, Right right, std::string_view verb);

  /// What was changed by hand of `request` without a row of the audit log gets one; so does what
  /// was refused. `verb` as for admit().
  void record(const Request& request, const Response& response, std::string_view verb);

  /// A device or broker that was turned away by its handler: counted, and told in the audit log as
  /// admit() tells its own denials. `door`: `device` or `broker`.
  void tell_denied(const Request& request,
                   std::string_view door,
                   const std::string& source,
                   const std::string& code);
  /// Who was turned away since start.
  [[nodiscard]] CodeCounters::Counts denied() const { return denied_.counts(); }

  /// The events, until the caller's token ends.
  EventSource while_valid(EventSource events, const Caller& caller);
  void on_revoked(const std::string& token_id);

  /// Writes what was counted; call every second or so. `all`: at the end, of the minute under way
  /// too.
  void tell_denials(bool all = false);

  [[nodiscard]] const AccessSettings& settings() const { return settings_; }

 private:
  struct Refused {
    Refusal refusal;
    std::string actor;
    std::int64_t retry_after = 0;
  };
  std::variant<Caller, Refused> identify(const Request& request, const std::string& source);
  std::variant<Caller, Refused> identify_ours(std::string_view text);
  std::variant<Caller, Refused> identify_foreign(std::string_view text);
  Response deny(const Request& request,
                Right right,
                std::string_view verb,
                const Refused& why,
                const std::string& source);
  void write(const Denial& denial);
  [[nodiscard]] std::int64_t now() const { return clock_() / 1000; }

  Store& store_;
  const AccessSettings settings_;
  const UnixClock clock_;
  BearerVerifier* const foreign_tokens_;  ///< none: nullptr
  Lockout lockout_;
  Denials denials_;
  CodeCounters denied_;
  std::mutex revoked_mutex_;
  std::set<std::string> revoked_;  ///< since start; streams that began before look here
};

}  // namespace otaria::server
