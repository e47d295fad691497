#include "server/identity/registrar.hpp"

#include <set>

#include "server/identity/registrar_steps.hpp"

namespace otaria::server {
namespace {

/// The rows of one import against the registry.
class Import {
 public:
  Import(StoreTransaction& transaction, ImportResult& result, std::int64_t now)
      : transaction_{transaction}, result_{result}, now_{now} {}

  void take(const ImportRow& row) {
    const auto known = transaction_.identity_of_mac(row.mac);
    if (known && !known->key.empty()) {
      if (same(*known, row)) {
        ++result_.unchanged;
      } else {
        refuse(row,
               "mac_registered",
               "MAC " + row.mac + " is registered as " + known->id +
                   " with another key, id, product or hardware");
      }
      return;
    }
    const std::string wanted = row.id.empty() && known ? known->id : row.id;
    auto id = choose_id(row.mac, wanted, [&](const std::string& text) {
      return given_.contains(text) || belongs_to_another(transaction_, text, row.mac);
    });
    if (!id) {
      refuse(row, id.refusal().code, id.refusal().detail);
      return;
    }
    given_.insert(id.value());
    fresh_.push_back({.mac = row.mac,
                      .id = id.value(),
                      .key = row.public_key,
                      .next_key = "",
                      .product = row.product,
                      .hardware = row.hardware,
                      .state = IdentityState::active,
                      .origin = "import",
                      .reason = "",
                      .created_at = now_,
                      .changed_at = now_});
  }

  void keep() {
    for (const DeviceIdentity& identity : fresh_) {
      transaction_.forget_claims(identity.mac, "");  // the key is known: no other gets in by one
      transaction_.put_identity(identity);
    }
    result_.created = fresh_.size();
  }

 private:
  static bool same(const DeviceIdentity& known, const ImportRow& row) {
    return known.key == row.public_key && (row.id.empty() || row.id == known.id) &&
           (row.product.empty() || row.product == known.product) &&
           (row.hardware.empty() || row.hardware == known.hardware);
  }
  void refuse(const ImportRow& row, const std::string& code, const std::string& detail) {
    result_.errors.push_back({row.line, code, detail});
  }

  StoreTransaction& transaction_;
  ImportResult& result_;
  const std::int64_t now_;
  std::set<std::string> given_;
  std::vector<DeviceIdentity> fresh_;
};

}  // namespace

ImportResult Registrar::import(std::vector<ImportRow> rows,
                               const Caller& caller,
                               std::int64_t now) {
  ImportResult result;
  result.errors = judge_import(rows);
  if (!result.errors.empty()) return result;
  store_.write([&](StoreTransaction& transaction) {
    Import import{transaction, result, now};
    // Those that ask for an id go first: what the others are given must not be one of theirs.
    for (const ImportRow& row : rows) {
      if (!row.id.empty()) import.take(row);
    }
    for (const ImportRow& row : rows) {
      if (row.id.empty()) import.take(row);
    }
    if (!result.errors.empty()) {
      result.unchanged = 0;
      return;
    }
    import.keep();
    auto event = event_of(caller, "device.import", "", now);
    event.detail =
        contract::audit_detail({{"created", static_cast<std::int64_t>(result.created)},
                                {"unchanged", static_cast<std::int64_t>(result.unchanged)}});
    tell(transaction, caller, event);
  });
  return result;
}

}  // namespace otaria::server
