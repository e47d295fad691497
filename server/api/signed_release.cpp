#include <algorithm>

#include "server/api/audit_note.hpp"
#include "server/api/json.hpp"
#include "server/api/problem.hpp"
#include "server/api/release_upload.hpp"
#include "server/api/replies.hpp"
#include "server/trust/manifest_file.hpp"

namespace otaria::server {
namespace {

/// What an upload becomes, if nothing changes until it is written.
struct Plan {
  Release release;
  StoredManifest manifest;
  bool new_release = false;
  bool published = false;  ///< this very manifest is there already
};

Refusal manifest_exists(const StoredManifest& other) {
  return {"manifest_exists",
          "another manifest has the id " + other.said.id + "; it is about release " + other.release,
          "sign the release again: otaria release sign gives each manifest an id of its own"};
}

std::string joined(const std::vector<std::string>& words) {
  std::string text;
  for (const std::string& word : words) text += (text.empty() ? "" : ", ") + word;
  return text;
}

Refusal contradiction(const std::string& name, const std::string& asked, const std::string& said) {
  return {"manifest_mismatch",
          "the query says " + name + " " + asked.substr(0, 64) + ", the manifest says " +
              (said.empty() ? "none" : said),
          "leave `" + name + "` out: the manifest says what is published"};
}

/// The query may repeat what was signed, never change it.
std::optional<Refusal> query_contradicts(const Request& request, const Release& release) {
  const std::pair<const char*, const std::string&> texts[] = {
      {"product", release.product}, {"version", release.version}, {"channel", release.channel}};
  for (const auto& [name, said] : texts) {
    const auto asked = parameter(request, name);
    if (asked && *asked != said) return contradiction(name, *asked, said);
  }
  std::vector<std::string> hardware;
  for (const auto& [name, value] : request.query) {
    if (name == "hardware" && !value.empty()) hardware.push_back(value);
  }
  std::sort(hardware.begin(), hardware.end());
  hardware.erase(std::unique(hardware.begin(), hardware.end()), hardware.end());
  if (hardware.empty() || hardware == release.hardware) return std::nullopt;
  return contradiction("hardware", joined(hardware), joined(release.hardware));
}

Outcome<Plan> plan(StoreView& view,
                   const std::string& file,
                   const Release& image,
                   std::int64_t now) {
  const auto keys = view.newest_key_list();
  if (!keys) {
    return Refusal{"keylist_required",
                   "the release is signed, and no key list is published to judge it by",
                   "publish the key list first: otaria keylist publish FILE"};
  }
  const TrustBasis basis{*keys, [&](const std::string& product) {
                           return view.highest_counter(product, keys->epoch);
                         }};
  Plan plan;
  plan.release = image;
  auto judged = judge_manifest_file(file, basis, now, plan.release);
  if (!judged) return judged.refusal();
  plan.manifest = std::move(judged.value());
  if (const auto known = view.manifest(plan.manifest.said.id)) {
    if (known->payload_sha256 != plan.manifest.payload_sha256) return manifest_exists(*known);
    plan.published = true;
    plan.release = view.release(known->release).value_or(plan.release);
    return plan;
  }
  const Release& named = plan.release;
  if (const auto there = view.release_named(named.product, named.version, named.hardware)) {
    // The same image signed again, or for the first time: the release stays what it is.
    if (there->sha256 != named.sha256) return release_exists(*there);
    plan.manifest.release = there->id;
  } else {
    plan.new_release = true;
  }
  return plan;
}

void note_published(StoreTransaction& transaction,
                    const Services& services,
                    const Request& request,
                    const Plan& plan) {
  note(transaction,
       services,
       request,
       plan.new_release ? "release.publish" : "release.sign",
       plan.manifest.release,
       contract::audit_detail({{"product", plan.release.product},
                               {"version", plan.release.version},
                               {"sha256", plan.release.sha256},
                               {"manifest", plan.manifest.said.id},
                               {"signed_by", joined(plan.manifest.said.signed_by)}}));
}

}  // namespace

Response publish_signed_release(const Request& request,
                                const std::string& file,
                                const Release& image,
                                Services& services) {
  std::optional<Outcome<Plan>> planned;
  services.store.read([&](StoreView& view) { planned = plan(view, file, image, services.now()); });
  if (!*planned) return problem(planned->refusal());
  if (const auto refusal = outside_product(request, planned->value().release.product)) {
    return problem(*refusal);
  }
  if (!planned->value().published) {
    // What is refused is refused before the bytes are kept: nobody would ever remove them.
    if (const auto refusal = query_contradicts(request, planned->value().release)) {
      return problem(*refusal);
    }
    if (const auto refusal = keep_image(request, services)) return problem(*refusal);
    // Judged again: keys may have been revoked, or the name taken, in between.
    services.store.write([&](StoreTransaction& transaction) {
      planned = plan(transaction, file, image, services.now());
      if (!*planned || planned->value().published) return;
      Plan& now = planned->value();
      if (now.new_release) {
        now.release.notes = notes_of(request);
        now.release.created_at = services.now();
        transaction.add_release(now.release);
      }
      transaction.add_manifest(now.manifest);
      note_published(transaction, services, request, now);
    });
    if (!*planned) return problem(planned->refusal());
  }
  std::optional<Release> release;
  const std::string& id =
      planned->value().published ? planned->value().release.id : planned->value().manifest.release;
  services.store.read([&](StoreView& view) { release = view.release(id); });
  const bool created = !planned->value().published && planned->value().new_release;
  return json_reply(json_of(release.value(), services.downloads, services.now()),
                    created ? 201 : 200);
}

}  // namespace otaria::server
