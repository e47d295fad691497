#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "server/broker/clock.hpp"
#include "server/broker/trust_check.hpp"
#include "server/download/downloads.hpp"
#include "server/registry/deployment.hpp"
#include "server/registry/refusal.hpp"
#include "server/registry/ulid.hpp"
#include "server/store/store.hpp"

namespace otaria::server {

/// A file that lies elsewhere.
struct ExternalImage {
  std::string version;
  std::string url;
  std::string sha256;
  std::optional<std::uint32_t> size;
};

struct SendRequest {
  std::vector<std::string> devices;
  std::string release;                    ///< id or version; empty: `external`
  std::optional<std::string> product;     ///< narrows a version
  std::optional<ExternalImage> external;  ///< in place of `release`
  bool force = false;
  bool only_newer = false;  ///< refuse when a device's known version is not older
  std::uint32_t spread_s = 0;
  std::optional<std::uint32_t> not_before, deadline;  ///< Unix seconds
};

/// Told of each deployment that was decided, inside its transaction: what it writes is kept with
/// the decision, or with it undone.
using Witness = std::function<void(StoreTransaction&, const Deployment&)>;

/// Decides what is offered to whom. Every decision and its outbox row are one transaction;
/// NoticePump does the rest. Threads  any.
class Dispatcher {
 public:
  Dispatcher(Store& store,
             UlidGenerator& ulids,
             Deadlines deadlines,
             const Downloads& downloads,
             UnixClock clock)
      : store_{store},
        ulids_{ulids},
        deadlines_{deadlines},
        downloads_{downloads},
        clock_{std::move(clock)} {}

  /// Offers to every device, or to none. A newer update supersedes what is still offered to a
  /// device. `force` overrides the order of versions, nothing else. Codes: unknown_device,
  /// unknown_release, ambiguous_release, those of preflight() and of TrustCheck, notice_too_long,
  /// bad_request, deadline_passed.
  Outcome<std::vector<Deployment>> send(const SendRequest& request, const Witness& witness = {});
  /// The same as a part of a transaction; nothing is written when it is refused.
  Outcome<std::vector<Deployment>> send(StoreTransaction& transaction,
                                        const SendRequest& request,
                                        const Witness& witness = {});
  /// What send() would decide now, by device; ids and times are this moment's. Nothing is written.
  Outcome<std::vector<Deployment>> preview(StoreView& view, const SendRequest& request);

  /// Codes: unknown_update, already_final.
  Outcome<Deployment> withdraw(const std::string& id, const Witness& witness = {});

  /// Withdraws offers whose deadline has passed and marks silent updates stale. Call every second
  /// or so. Returns how many updates changed.
  std::size_t apply_time();

  /// Publishes anew the notices of unfinished updates whose signed URLs end soon. Call every second
  /// or so. Returns how many.
  std::size_t renew_urls();

  /// Forgets statuses older than `keep_s` seconds, of final updates. Returns how many.
  std::size_t forget_history(std::int64_t keep_s);

 private:
  Outcome<Deployment> plan(StoreView& view,
                           TrustCheck& trust,
                           const SendRequest& request,
                           const std::string& device_id);
  void commit(StoreTransaction& transaction, const Deployment& deployment);

  Store& store_;
  UlidGenerator& ulids_;
  const Deadlines deadlines_;
  const Downloads& downloads_;
  const UnixClock clock_;
};

}  // namespace otaria::server
