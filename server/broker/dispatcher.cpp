#include "server/broker/dispatcher.hpp"

#include <algorithm>
#include <set>

#include "contract/semver.hpp"
#include "contract/url.hpp"
#include "server/broker/notice.hpp"
#include "server/broker/report_keeper.hpp"
#include "server/registry/preflight.hpp"

namespace otaria::server {
namespace {

constexpr std::size_t most_devices = 10'000;    // more is a rollout's work
constexpr std::size_t most_builds = 500;        // of one version
constexpr std::size_t changes_per_tick = 1000;  // keeps each transaction short

std::optional<Refusal> malformed(const SendRequest& request, std::int64_t now) {
  const auto bad = [](std::string detail) {
    return Refusal{"bad_request", std::move(detail), "see docs/spec/rest.md, POST /updates"};
  };
  if (request.devices.empty()) return bad("`devices` names no device");
  if (request.devices.size() > most_devices) {
    return bad("`devices` names " + std::to_string(request.devices.size()) + " devices, at most " +
               std::to_string(most_devices) + " are taken at once");
  }
  if (request.release.empty() == !request.external) {
    return bad("name either a `release` or `version`, `url` and `signature`");
  }
  if (request.deadline && *request.deadline <= now) {
    return Refusal{
        "deadline_passed", "the deadline lies in the past", "name a later one, in Unix seconds"};
  }
  if (!request.external) return std::nullopt;
  if (!contract::parse_semver(request.external->version))
    return bad("`version` is no semantic version");
  if (!contract::is_url(request.external->url)) return bad("`url` is no http or https URL");
  if (!contract::digest_from_hex(request.external->sha256)) {
    return bad("`signature` is not 64 lower-case hex digits");
  }
  return std::nullopt;
}

Outcome<Release> find_release(StoreView& view, const SendRequest& request, const Device& device) {
  if (auto release = view.release(request.release)) return *release;
  const auto builds = view.releases({.product = request.product, .version = request.release},
                                    {.limit = most_builds});
  if (builds.empty()) {
    return Refusal{"unknown_release",
                   "no release has the id or version \"" + request.release + "\"",
                   "list them with: otaria release list"};
  }
  return build_for(builds, device);
}

}  // namespace

Outcome<Deployment> Dispatcher::plan(StoreView& view,
                                     TrustCheck& trust,
                                     const SendRequest& request,
                                     const std::string& device_id) {
  const auto device = view.device(device_id);
  if (!device) {
    return Refusal{"unknown_device",
                   "no device \"" + device_id + "\" has reported yet",
                   "check the id; a device registers itself when it first connects"};
  }
  Deployment deployment;
  Offer offer;
  std::optional<Refusal> untrusted;
  if (request.external) {
    deployment.target = request.external->version;
    deployment.sha256 = request.external->sha256;
    // What lies here needs a URL that is made anew whenever its notice is.
    const bool ours = downloads_.is_ours(request.external->url, request.external->sha256);
    if (!ours) deployment.url = request.external->url;
    deployment.size = request.external->size;
    offer.version = deployment.target;
    offer.size = deployment.size;
  } else {
    const auto release = find_release(view, request, *device);
    if (!release) return release.refusal();
    deployment.release = release.value().id;
    deployment.target = release.value().version;
    deployment.sha256 = release.value().sha256;
    deployment.size = release.value().size;
    if (release.value().manifest) deployment.manifest = release.value().manifest->id;
    offer = offer_of(release.value());
    untrusted = trust.refusal_of(release.value());
  }
  const bool only_newer = request.only_newer && !request.force;
  if (auto refusal = preflight(offer, *device, only_newer, trust.facts_of(offer.product))) {
    return *refusal;
  }
  if (untrusted && device->mode != "development") return *untrusted;
  const std::int64_t now_ms = clock_();
  deployment.id = ulids_.next(static_cast<std::uint64_t>(now_ms));
  deployment.device = device_id;
  deployment.from = device->version;
  deployment.force = request.force;
  deployment.spread_s = request.spread_s;
  deployment.not_before = request.not_before;
  deployment.deadline = request.deadline;
  deployment.created_at = deployment.updated_at = now_ms / 1000;
  start_deadline(deployment, deadlines_, now_ms / 1000);
  if (const auto notice = write_notice(deployment, downloads_, now_ms / 1000); !notice)
    return notice.refusal();
  return deployment;
}

void Dispatcher::commit(StoreTransaction& transaction, const Deployment& deployment) {
  for (const Deployment& older : transaction.open_deployments(deployment.device)) {
    const Decision decision = supersede(older, deployment.created_at);
    if (decision.changed) transaction.put_deployment(decision.next);
  }
  transaction.put_deployment(deployment);
  restate_notice(transaction, deployment.device, clock_());
}

Outcome<std::vector<Deployment>> Dispatcher::preview(StoreView& view, const SendRequest& request) {
  if (auto refusal = malformed(request, clock_() / 1000)) return *refusal;
  const std::set<std::string> once{request.devices.begin(), request.devices.end()};
  std::vector<Deployment> deployments;
  TrustCheck trust{view, clock_() / 1000};
  for (const std::string& device : once) {
    auto planned = plan(view, trust, request, device);
    if (!planned) return planned.refusal();
    deployments.push_back(std::move(planned.value()));
  }
  return deployments;
}

Outcome<std::vector<Deployment>> Dispatcher::send(StoreTransaction& transaction,
                                                  const SendRequest& request,
                                                  const Witness& witness) {
  auto deployments = preview(transaction, request);
  if (!deployments) return deployments;  // nothing was written yet
  for (const Deployment& deployment : deployments.value()) {
    commit(transaction, deployment);
    if (witness) witness(transaction, deployment);
  }
  return deployments;
}

Outcome<std::vector<Deployment>> Dispatcher::send(const SendRequest& request,
                                                  const Witness& witness) {
  Outcome<std::vector<Deployment>> sent = std::vector<Deployment>{};
  store_.write([&](StoreTransaction& transaction) { sent = send(transaction, request, witness); });
  return sent;
}

Outcome<Deployment> Dispatcher::withdraw(const std::string& id, const Witness& witness) {
  Outcome<Deployment> outcome = Refusal{
      "unknown_update", "there is no update \"" + id + "\"", "list them with: otaria update list"};
  store_.write([&](StoreTransaction& transaction) {
    const auto deployment = transaction.deployment(id);
    if (!deployment) return;
    if (deployment->final()) {
      outcome = Refusal{"already_final",
                        "the update ended: " + std::string{state_name(*deployment)},
                        "nothing to withdraw; send another update"};
      return;
    }
    const Decision decision = server::withdraw(*deployment, "withdrawn", clock_() / 1000);
    if (decision.changed) {
      transaction.put_deployment(decision.next);
      restate_notice(transaction, deployment->device, clock_());
    }
    if (witness) witness(transaction, decision.next);
    outcome = decision.next;
  });
  return outcome;
}

std::size_t Dispatcher::apply_time() {
  const std::int64_t now = clock_() / 1000;
  // Most seconds nothing is due: look before taking the one write lock.
  bool due = false;
  store_.read([&](StoreView& view) {
    due = !view.expired(now, 1).empty() || !view.overdue(now, 1).empty();
  });
  std::size_t changed = 0;
  if (!due) return changed;
  store_.write([&](StoreTransaction& transaction) {
    for (const Deployment& deployment : transaction.expired(now, changes_per_tick)) {
      const Decision decision = server::withdraw(deployment, "notice_expired", now);
      if (!decision.changed) continue;
      transaction.put_deployment(decision.next);
      restate_notice(transaction, deployment.device, clock_());
      ++changed;
    }
    for (const Deployment& deployment : transaction.overdue(now, changes_per_tick)) {
      const Decision decision = apply_silence(deployment, now);
      if (!decision.changed) continue;
      transaction.put_deployment(decision.next);
      ++changed;
    }
  });
  return changed;
}

std::size_t Dispatcher::renew_urls() {
  if (downloads_.renewal_s() == 0) return 0;
  const std::int64_t now_ms = clock_();
  const std::int64_t before = now_ms / 1000 + downloads_.renewal_s();
  bool due = false;
  store_.read([&](StoreView& view) { due = !view.ending_urls(before, now_ms, 1).empty(); });
  std::size_t renewed = 0;
  if (!due) return renewed;
  store_.write([&](StoreTransaction& transaction) {
    for (const std::string& device : transaction.ending_urls(before, now_ms, changes_per_tick)) {
      restate_notice(transaction, device, now_ms);
      ++renewed;
    }
  });
  return renewed;
}

std::size_t Dispatcher::forget_history(std::int64_t keep_s) {
  std::size_t forgotten = 0;
  const std::int64_t before = clock_() / 1000 - keep_s;
  store_.write([&](StoreTransaction& transaction) {
    forgotten = transaction.forget_statuses(before, changes_per_tick);
  });
  return forgotten;
}

}  // namespace otaria::server
