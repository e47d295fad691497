#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "contract/audit/audit_row.hpp"
#include "server/access/approval.hpp"
#include "server/access/token.hpp"
#include "server/registry/deployment.hpp"
#include "server/registry/device.hpp"
#include "server/registry/identity.hpp"
#include "server/registry/release.hpp"
#include "server/registry/signed_files.hpp"

/// What the server must not forget: one port, whatever database lies behind it.
namespace otaria::server {

/// The database failed (disk full, corrupt, locked, newer than this program). The text is for the
/// operator's log.
class DatabaseError : public std::runtime_error {
 public:
  explicit DatabaseError(const std::string& text, bool may_pass = true)
      : std::runtime_error{text}, may_pass_{may_pass} {}
  /// The same call may work later (space was made, a lock ended); false: these values never will.
  [[nodiscard]] bool may_pass() const { return may_pass_; }

 private:
  bool may_pass_;
};

/// A slice of a list. `after` is the place of the last item of the slice before: an id, or an
/// ordinal as text.
struct Slice {
  std::string after = {};  ///< empty: from the start
  std::size_t limit = 100;
};

struct ReleaseFilter {
  std::optional<std::string> product = {};
  std::optional<std::string> version = {};
};
struct DeviceFilter {
  std::string text;  ///< substring of id, MAC or version, in any case; empty: all
};
struct IdentityFilter {
  std::string text = {};  ///< substring of id or MAC; empty: all
  std::optional<IdentityState> state = {};
};
struct DeploymentFilter {
  std::optional<std::string> device = {};
  std::optional<std::string> state = {};  ///< as state_name() gives it
  bool open_only = false;
};

/// A recorded status.
struct StatusRecord {
  std::int64_t ordinal = 0;  ///< order of arrival
  std::string device;
  std::string update;  ///< empty: of a three-field notice
  std::string version;
  std::string target;
  contract::UpdateState state = contract::UpdateState::received;
  std::optional<contract::Progress> progress;
  std::optional<UpdateError> error;
  Sequence place;
  std::optional<std::int64_t> at;  ///< Unix seconds by the device's clock
  std::int64_t received_at = 0;    ///< Unix seconds by ours
};

/// Which rows of the audit log are asked for. `after` of its slice is a row's seq as text.
struct AuditFilter {
  std::optional<std::string> actor = {};
  std::optional<std::string> verb = {};
  bool oldest_first = false;  ///< else newest first
};

struct ApprovalFilter {
  std::optional<ApprovalState> state = {};  ///< as it was written: time alone changes nothing
};

/// What the retained notice of one device must become: the outbox. One row per topic, so that what
/// is decided last is what is published last.
struct OutboxRow {
  std::string device;
  std::optional<std::string> update;  ///< absent: an empty payload
  std::int64_t generation = 0;        ///< rises whenever the row is decided anew
  std::uint32_t attempts = 0;         ///< publishes that the broker acknowledged since
  std::int64_t due_at_ms = 0;         ///< Unix milliseconds; not before
};

/// A line of the brokers' denylist.
struct DeniedToken {
  std::string jti;         ///< empty: every token of the subject
  std::string subject;     ///< MAC of a device, name of a service
  std::int64_t until = 0;  ///< Unix seconds: the last token meant has expired by then
};

struct StoreCounts {
  std::int64_t releases = 0, devices = 0, online = 0, open_updates = 0, outbox = 0;
  std::map<std::string, std::int64_t> updates_by_state;
};

/// One consistent view of the database.
/// Errors   DatabaseError.
/// Threads  the thread it was given to.
class StoreView {
 public:
  virtual std::optional<Release> release(std::string_view id) = 0;
  virtual std::vector<Release> releases(const ReleaseFilter& filter, const Slice& slice) = 0;
  /// The one release of exactly this product, version and (sorted) hardware.
  virtual std::optional<Release> release_named(const std::string& product,
                                               const std::string& version,
                                               const std::vector<std::string>& hardware) = 0;
  virtual std::optional<Device> device(std::string_view id) = 0;
  virtual std::vector<Device> devices(const DeviceFilter& filter, const Slice& slice) = 0;
  virtual std::optional<Deployment> deployment(std::string_view id) = 0;
  virtual std::vector<Deployment> deployments(const DeploymentFilter& filter,
                                              const Slice& slice) = 0;
  /// Open ones of a device, newest first.
  virtual std::vector<Deployment> open_deployments(std::string_view device) = 0;
  /// Oldest first. An empty `update` means all; `limit` 0 means without limit.
  virtual std::vector<StatusRecord> statuses(std::string_view device,
                                             std::string_view update,
                                             const Slice& slice) = 0;
  virtual bool session_restarted(std::string_view mac, std::uint32_t session) = 0;
  /// Rows to be published now, longest due first.
  virtual std::vector<OutboxRow> due_notices(std::int64_t now_ms, std::size_t limit) = 0;
  virtual std::optional<OutboxRow> outbox_row(std::string_view device) = 0;
  /// Open, not yet stale, and silent beyond due_at.
  virtual std::vector<Deployment> overdue(std::int64_t now, std::size_t limit) = 0;
  /// Still offered though their `deadline` has passed.
  virtual std::vector<Deployment> expired(std::int64_t now, std::size_t limit) = 0;
  /// `online_since`: devices silent since before that second do not count as online.
  virtual StoreCounts counts(std::int64_t online_since) = 0;

  // Trust: key lists and manifests.
  virtual std::optional<StoredKeyList> newest_key_list() = 0;
  virtual std::optional<StoredKeyList> key_list(std::uint32_t serial) = 0;
  /// The lowest serial published with this epoch.
  virtual std::optional<std::uint32_t> first_serial_of_epoch(std::uint32_t epoch) = 0;
  virtual std::optional<StoredManifest> manifest(std::string_view id) = 0;
  /// The highest security counter of the product's manifests that were judged in this epoch.
  virtual std::optional<std::uint32_t> highest_counter(const std::string& product,
                                                       std::uint32_t epoch) = 0;

  /// Devices whose open update may still download, from a URL that ends before that second, and
  /// whose notice is not due by itself at `now_ms`.
  virtual std::vector<std::string> ending_urls(std::int64_t before,
                                               std::int64_t now_ms,
                                               std::size_t limit) = 0;

  // Access: tokens and the audit log.
  virtual std::optional<ApiToken> token(std::string_view id) = 0;
  /// Newest first; revoked and expired ones too.
  virtual std::vector<ApiToken> tokens(const Slice& slice) = 0;
  /// Whether a token of the role exists that is_valid_at(now).
  virtual bool has_valid_token(Role role, std::int64_t now) = 0;
  virtual std::vector<contract::AuditRow> audit_rows(const AuditFilter& filter,
                                                     const Slice& slice) = 0;
  /// The newest row; nothing while there is none.
  virtual std::optional<contract::AuditRow> audit_head() = 0;

  // The two-person rule.
  virtual std::optional<Approval> approval(std::string_view id) = 0;
  /// Newest first; `after` of the slice is an id.
  virtual std::vector<Approval> approvals(const ApprovalFilter& filter, const Slice& slice) = 0;

  // Identity: devices' keys, claims, services, tokens for brokers.
  virtual std::optional<DeviceIdentity> identity(std::string_view id) = 0;
  virtual std::optional<DeviceIdentity> identity_of_mac(std::string_view mac) = 0;
  /// Newest first; `after` of the slice is an ordinal as text.
  virtual std::vector<DeviceIdentity> identities(const IdentityFilter& filter,
                                                 const Slice& slice) = 0;
  virtual std::optional<Claim> claim(std::string_view secret_sha256) = 0;
  virtual std::optional<ServiceIdentity> service(std::string_view name) = 0;
  /// By name.
  virtual std::vector<ServiceIdentity> services(const Slice& slice) = 0;
  /// The earliest first use first.
  virtual std::vector<IssuerKey> issuer_keys() = 0;
  /// What brokers must refuse though it has not expired: every token of whoever is not active, and
  /// single tokens that were denied.
  virtual std::vector<DeniedToken> denied_tokens(std::int64_t now) = 0;

 protected:
  ~StoreView() = default;
};

/// A view that may also change things; all of it is kept, or nothing.
class StoreTransaction : public StoreView {
 public:
  /// False, and nothing done, when the product has this version for this hardware already.
  /// Its manifest is not read: see add_manifest().
  virtual bool add_release(const Release& release) = 0;
  /// False, and nothing done, when there is a list of this serial already.
  virtual bool add_key_list(const StoredKeyList& list) = 0;
  /// The release has this manifest and its channel from now on. False, and nothing done, when there
  /// is a manifest of this id already.
  virtual bool add_manifest(const StoredManifest& manifest) = 0;
  /// Inserts or replaces; `ordinal` and `update` of the value are not read.
  virtual void put_device(const Device& device) = 0;
  virtual void put_deployment(const Deployment& deployment) = 0;
  /// False for a repeat: this device has a status of that place already.
  virtual bool add_status(const StatusRecord& record) = 0;
  virtual void add_session_restart(std::string_view mac, std::uint32_t session) = 0;

  /// Decides the retained notice of a device; nothing = empty payload. Starts a new generation.
  virtual void put_outbox(std::string_view device,
                          const std::optional<std::string>& update,
                          std::int64_t due_at_ms) = 0;
  /// The broker has it: an empty payload is done with, a notice is repeated at `next_due_ms` unless
  /// answered. Nothing happens when the row has been decided anew meanwhile.
  virtual void outbox_published(std::string_view device,
                                std::int64_t generation,
                                std::int64_t next_due_ms) = 0;
  /// The notice that the broker has of this update holds a URL that ends then, in Unix seconds.
  virtual void set_url_until(std::string_view update, std::int64_t until) = 0;
  /// The device answered this update: its notice is done with.
  virtual void outbox_answered(std::string_view device, std::string_view update) = 0;
  /// Everything in the outbox is due now, but what is held back until later than `now_ms` for the
  /// first time.
  virtual void renew_outbox(std::int64_t now_ms) = 0;
  /// Removes statuses received before that second, of final deployments only. Returns how many.
  virtual std::size_t forget_statuses(std::int64_t before, std::size_t limit) = 0;

  // Access: tokens and the audit log.

  /// False, and nothing done, when the id is taken.
  virtual bool add_token(const ApiToken& token) = 0;
  virtual void set_token_used(std::string_view id, std::int64_t at) = 0;
  /// Stays as it was when it is revoked already.
  virtual void revoke_token(std::string_view id, std::int64_t at) = 0;
  /// Puts the event behind the newest row, in the transaction of the change that it tells of: both
  /// are kept, or neither. Rows are never changed or removed; the database itself refuses that.
  virtual contract::AuditRow append_audit(const contract::AuditEvent& event) = 0;

  /// Inserts; of one that is there only what tells of the decision is replaced.
  virtual void put_approval(const Approval& approval) = 0;
  /// Removes what was decided, or expired, before that second.
  virtual void forget_approvals(std::int64_t before) = 0;

  // Identity.

  /// Inserts, or replaces what has this MAC; `ordinal` of the value is not read. Another identity's
  /// id is an error of the caller: DatabaseError.
  virtual void put_identity(const DeviceIdentity& identity) = 0;
  /// Inserts, or replaces what has this digest.
  virtual void put_claim(const Claim& claim) = 0;
  /// Removes unused claims for this MAC, or, for an empty one, this id.
  virtual void forget_claims(std::string_view mac, std::string_view id) = 0;
  /// Inserts, or replaces what has this name.
  virtual void put_service(const ServiceIdentity& service) = 0;
  virtual void put_issuer_key(const IssuerKey& key) = 0;
  virtual void forget_issuer_key(std::string_view kid) = 0;
  /// Also raises `last_expiry` of the key that signed it and, for a device, `last_token_at`.
  virtual void add_broker_token(const BrokerToken& token) = 0;
  /// Denies every token of the subject that was issued so far, one by one.
  virtual void deny_tokens_of(std::string_view subject) = 0;
  /// Removes tokens that expired before that second.
  virtual void forget_broker_tokens(std::int64_t before) = 0;

 protected:
  ~StoreTransaction() = default;
};

/// What a transaction has changed.
struct Changes {
  std::set<std::string> devices;
  std::set<std::string> deployments;
  bool outbox = false;
  [[nodiscard]] bool empty() const { return devices.empty() && deployments.empty() && !outbox; }
};

/// Threads  any.
class Store {
 public:
  virtual ~Store() = default;
  virtual void read(const std::function<void(StoreView&)>& work) = 0;
  /// Runs `work` and commits; durable when this returns. Undone when `work` throws, and the
  /// exception goes on. One at a time: `work` must not call write().
  virtual void write(const std::function<void(StoreTransaction&)>& work) = 0;
  /// Called after every commit that changed something, on the committing thread, one at a time. Set
  /// before use.
  virtual void on_commit(std::function<void(const Changes&)> observer) = 0;
  /// Throws unless the database answers.
  virtual void ping() = 0;
};

}  // namespace otaria::server
