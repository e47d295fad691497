#pragma once

#include "server/store/sqlite.hpp"
#include "server/store/store.hpp"

namespace otaria::server::sqlite {

/// The port's calls on one connection inside an open transaction; notes what was changed.
class Transaction final : public StoreTransaction {
 public:
  explicit Transaction(Connection& connection) : connection_{connection} {}
  ~Transaction() = default;

  std::optional<Release> release(std::string_view id) override;
  std::vector<Release> releases(const ReleaseFilter& filter, const Slice& slice) override;
  std::optional<Release> release_named(const std::string& product,
                                       const std::string& version,
                                       const std::vector<std::string>& hardware) override;
  std::optional<Device> device(std::string_view id) override;
  std::vector<Device> devices(const DeviceFilter& filter, const Slice& slice) override;
  std::optional<Deployment> deployment(std::string_view id) override;
  std::vector<Deployment> deployments(const DeploymentFilter& filter, const Slice& slice) override;
  std::vector<Deployment> open_deployments(std::string_view device) override;
  std::vector<StatusRecord> statuses(std::string_view device,
                                     std::string_view update,
                                     const Slice& slice) override;
  bool session_restarted(std::string_view mac, std::uint32_t session) override;
  std::vector<OutboxRow> due_notices(std::int64_t now_ms, std::size_t limit) override;
  std::optional<OutboxRow> outbox_row(std::string_view device) override;
  std::vector<Deployment> overdue(std::int64_t now, std::size_t limit) override;
  std::vector<Deployment> expired(std::int64_t now, std::size_t limit) override;
  StoreCounts counts(std::int64_t online_since) override;
  std::optional<StoredKeyList> newest_key_list() override;
  std::optional<StoredKeyList> key_list(std::uint32_t serial) override;
  std::optional<std::uint32_t> first_serial_of_epoch(std::uint32_t epoch) override;
  std::optional<StoredManifest> manifest(std::string_view id) override;
  std::optional<std::uint32_t> highest_counter(const std::string& product,
                                               std::uint32_t epoch) override;
  std::vector<std::string> ending_urls(std::int64_t before,
                                       std::int64_t now_ms,
                                       std::size_t limit) override;
  std::optional<ApiToken> token(std::string_view id) override;
  std::vector<ApiToken> tokens(const Slice& slice) override;
  bool has_valid_token(Role role, std::int64_t now) override;
  std::vector<contract::AuditRow> audit_rows(const AuditFilter& filter,
                                             const Slice& slice) override;
  std::optional<contract::AuditRow> audit_head() override;
  std::optional<Approval> approval(std::string_view id) override;
  std::vector<Approval> approvals(const ApprovalFilter& filter, const Slice& slice) override;
  std::optional<DeviceIdentity> identity(std::string_view id) override;
  std::optional<DeviceIdentity> identity_of_mac(std::string_view mac) override;
  std::vector<DeviceIdentity> identities(const IdentityFilter& filter, const Slice& slice) override;
  std::optional<Claim> claim(std::string_view secret_sha256) override;
  std::optional<ServiceIdentity> service(std::string_view name) override;
  std::vector<ServiceIdentity> services(const Slice& slice) override;
  std::vector<IssuerKey> issuer_keys() override;
  std::vector<DeniedToken> denied_tokens(std::int64_t now) override;

  bool add_release(const Release& release) override;
  bool add_key_list(const StoredKeyList& list) override;
  bool add_manifest(const StoredManifest& manifest) override;
  void put_device(const Device& device) override;
  void put_deployment(const Deployment& deployment) override;
  bool add_status(const StatusRecord& record) override;
  void add_session_restart(std::string_view mac, std::uint32_t session) override;
  void put_outbox(std::string_view device,
                  const std::optional<std::string>& update,
                  std::int64_t due_at_ms) override;
  void outbox_published(std::string_view device,
                        std::int64_t generation,
                        std::int64_t next_due_ms) override;
  void set_url_until(std::string_view update, std::int64_t until) override;
  void outbox_answered(std::string_view device, std::string_view update) override;
  void renew_outbox(std::int64_t now_ms) override;
  std::size_t forget_statuses(std::int64_t before, std::size_t limit) override;
  bool add_token(const ApiToken& token) override;
  void set_token_used(std::string_view id, std::int64_t at) override;
  void revoke_token(std::string_view id, std::int64_t at) override;
  contract::AuditRow append_audit(const contract::AuditEvent& event) override;
  void put_approval(const Approval& approval) override;
  void forget_approvals(std::int64_t before) override;
  void put_identity(const DeviceIdentity& identity) override;
  void put_claim(const Claim& claim) override;
  void forget_claims(std::string_view mac, std::string_view id) override;
  void put_service(const ServiceIdentity& service) override;
  void put_issuer_key(const IssuerKey& key) override;
  void forget_issuer_key(std::string_view kid) override;
  void add_broker_token(const BrokerToken& token) override;
  void deny_tokens_of(std::string_view subject) override;
  void forget_broker_tokens(std::int64_t before) override;

  [[nodiscard]] const Changes& changes() const { return changes_; }

 private:
  Connection& connection_;
  Changes changes_;
};

}  // namespace otaria::server::sqlite
