#include <unistd.h>

#include <stdexcept>

#include "server/api/approval_acts.hpp"
#include "server/api/approval_json.hpp"
#include "server/api/audit_note.hpp"
#include "server/api/handlers.hpp"
#include "server/api/json.hpp"
#include "server/api/problem.hpp"
#include "server/api/replies.hpp"

namespace otaria::server {
namespace {

constexpr std::size_t without_limit = 0;

std::string whole_body(const Request& request) {
  if (!request.body_file) return request.body;
  std::string body(request.body_file->size, '\0');
  std::size_t done = 0;
  while (done < body.size()) {
    const ssize_t got = pread(request.body_file->descriptor,
                              body.data() + done,
                              body.size() - done,
                              static_cast<off_t>(done));
    if (got <= 0) throw std::runtime_error{"a request's body cannot be read"};
    done += static_cast<std::size_t>(got);
  }
  return body;
}

bool is_state(const std::string& name) {
  return name == "offered" || name == "stale" || contract::update_state_from(name);
}

std::string told(const Deployment& deployment) {
  return contract::audit_detail({{"update", deployment.id},
                                 {"target", deployment.target},
                                 {"sha256", deployment.sha256},
                                 {"force", deployment.force}});
}

// What is wrong with it is said now, and not to the person who would approve it.
Response ask_to_force(const Request& request,
                      const std::string& body,
                      const SendRequest& wanted,
                      Services& services) {
  Outcome<Approval> asked = Refusal{"bad_request", "nothing was asked for", ""};
  services.store.write([&](StoreTransaction& transaction) {
    const auto planned = services.dispatcher.preview(transaction, wanted);
    if (!planned) {
      asked = planned.refusal();
      return;
    }
    asked = await_approval(transaction,
                           request,
                           services,
                           {.verb = ApprovalVerb::force,
                            .content = updates_content(body, planned.value()),
                            .summary = summary_of(planned.value())});
  });
  if (!asked) return problem(asked.refusal());
  return awaiting_reply(asked.value(), services.now());
}

}  // namespace

Response send_updates(const Request& request, const PathParameters&, Services& services) {
  const std::string body = whole_body(request);
  const auto wanted = send_request_from(body);
  if (!wanted) return problem(wanted.refusal());
  if (wanted.value().force && services.approvals.asks(ApprovalVerb::force)) {
    return ask_to_force(request, body, wanted.value(), services);
  }
  const auto sent = services.dispatcher.send(
      wanted.value(), [&](StoreTransaction& transaction, const Deployment& deployment) {
        note(transaction, services, request, "update.send", deployment.device, told(deployment));
      });
  if (!sent) return problem(sent.refusal());
  std::vector<std::string> items;
  for (const Deployment& deployment : sent.value()) items.push_back(json_of(deployment));
  return json_reply(list_json(items, ""), 202);
}

Response list_updates(const Request& request, const PathParameters&, Services& services) {
  const auto slice = slice_from(request);
  if (!slice) return problem(slice.refusal());
  const DeploymentFilter filter{.device = parameter(request, "device"),
                                .state = parameter(request, "state"),
                                .open_only = parameter(request, "open") == "true"};
  if (filter.state && !is_state(*filter.state)) {
    return problem({"bad_request",
                    "`state` is no state of an update: \"" + *filter.state + "\"",
                    "offered, received, …, refused, or stale"});
  }
  std::vector<Deployment> updates;
  services.store.read(
      [&](StoreView& view) { updates = view.deployments(filter, one_more(slice.value())); });
  return list_reply<Deployment>(
      std::move(updates),
      slice.value(),
      [](const Deployment& deployment) { return json_of(deployment); },
      [](const Deployment& deployment) { return deployment.id; });
}

Response show_update(const Request&, const PathParameters& path, Services& services) {
  std::optional<Deployment> update;
  std::vector<StatusRecord> history;
  services.store.read([&](StoreView& view) {
    update = view.deployment(path[0]);
    if (update) history = view.statuses(update->device, path[0], {.limit = without_limit});
  });
  if (!update)
    return problem({"unknown_update",
                    "there is no update \"" + path[0] + "\"",
                    "otaria update list shows them"});
  return json_reply(json_of(*update, history));
}

Response withdraw_update(const Request& request, const PathParameters& path, Services& services) {
  const auto withdrawn = services.dispatcher.withdraw(
      path[0], [&](StoreTransaction& transaction, const Deployment& deployment) {
        note(
            transaction, services, request, "update.withdraw", deployment.device, told(deployment));
      });
  if (!withdrawn) return problem(withdrawn.refusal());
  return json_reply(json_of(withdrawn.value()));
}

}  // namespace otaria::server
