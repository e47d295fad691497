#include "server/api/handlers.hpp"
#include "server/api/problem.hpp"
#include "server/api/replies.hpp"

namespace otaria::server {

// The rows go out as they are hashed: `otaria audit verify` needs them byte for byte.
Response list_audit(const Request& request, const PathParameters&, Services& services) {
  const auto slice = slice_from(request);
  if (!slice) return problem(slice.refusal());
  AuditFilter filter{.actor = parameter(request, "actor"), .verb = parameter(request, "verb")};
  const std::string order = parameter(request, "order").value_or("newest");
  if (order != "newest" && order != "oldest") {
    return problem({"bad_request",
                    "`order` is neither `newest` nor `oldest`",
                    "leave it out for the newest first"});
  }
  filter.oldest_first = order == "oldest";
  std::vector<contract::AuditRow> rows;
  services.store.read(
      [&](StoreView& view) { rows = view.audit_rows(filter, one_more(slice.value())); });
  return list_reply<contract::AuditRow>(
      std::move(rows),
      slice.value(),
      [](const contract::AuditRow& row) { return contract::audit_json(row); },
      [](const contract::AuditRow& row) { return std::to_string(row.seq); });
}

}  // namespace otaria::server
