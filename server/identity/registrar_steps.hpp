#pragma once

#include <cstdint>
#include <string>

#include "server/access/caller.hpp"
#include "server/store/store.hpp"

/// What the registrar's parts share; for them only.
namespace otaria::server {

/// A row of the audit log that says `done`.
contract::AuditEvent event_of(const Caller& caller,
                              std::string verb,
                              std::string subject,
                              std::int64_t now);
void tell(StoreTransaction& transaction, const Caller& caller, const contract::AuditEvent& event);

/// Whether an id belongs to a device with another MAC: by its identity, or by what it reported
/// before it had one.
bool belongs_to_another(StoreView& view, const std::string& id, const std::string& mac);

}  // namespace otaria::server
