#include <algorithm>

#include "contract/openssl/crypto.hpp"
#include "contract/semver.hpp"
#include "server/access/caller.hpp"
#include "server/api/audit_note.hpp"
#include "server/api/handlers.hpp"
#include "server/api/json.hpp"
#include "server/api/problem.hpp"
#include "server/api/release_upload.hpp"
#include "server/api/replies.hpp"
#include "server/api/uploaded_image.hpp"

namespace otaria::server {
namespace {

constexpr std::size_t longest_notes = 4096;
constexpr std::size_t most_hardware = 32;

// What may stand in a topic, a URL, a table and a terminal alike.
bool is_name(std::string_view text, std::size_t longest) {
  return !text.empty() && text.size() <= longest &&
         std::all_of(text.begin(), text.end(), [](char c) {
           return contract::is_device_id_character(c) || c == '.';
         });
}

Refusal bad_name(const std::string& which, const std::string& text, std::size_t longest) {
  return {"bad_request",
          "`" + which + "` is not a name of 1 to " + std::to_string(longest) +
              " characters of A-Z a-z 0-9 . _ -: \"" + text.substr(0, longest) + "\"",
          "shorten it, or leave out the other characters"};
}

/// The words that the query gives to a release.
Outcome<Release> named_by(const Request& request, Release release) {
  release.product = parameter(request, "product").value_or("sensor");
  release.channel = parameter(request, "channel").value_or("stable");
  release.notes = notes_of(request);
  if (!is_name(release.product, contract::max_name_bytes)) {
    return bad_name("product", release.product, contract::max_name_bytes);
  }
  if (!is_name(release.channel, contract::max_channel_bytes)) {
    return bad_name("channel", release.channel, contract::max_channel_bytes);
  }
  for (const auto& [name, value] : request.query) {
    if (name != "hardware" || value.empty()) continue;
    if (!is_name(value, contract::max_name_bytes)) {
      return bad_name("hardware", value, contract::max_name_bytes);
    }
    release.hardware.push_back(value);
  }
  std::sort(release.hardware.begin(), release.hardware.end());
  release.hardware.erase(std::unique(release.hardware.begin(), release.hardware.end()),
                         release.hardware.end());
  if (release.hardware.size() > most_hardware) {
    return Refusal{"bad_request",
                   "more than " + std::to_string(most_hardware) + " hardware names",
                   "publish one build for all of them: leave hardware out"};
  }
  return release;
}

std::optional<Refusal> give_version(const Request& request, Release& release) {
  const auto version = parameter(request, "version");
  if (version && !contract::parse_semver(*version)) {
    return Refusal{"bad_version",
                   "\"" + version->substr(0, 64) + "\" is no semantic version of up to 32 bytes",
                   "write MAJOR.MINOR.PATCH, e.g. 1.4.0"};
  }
  if (!version && !contract::parse_semver(release.descriptor_version)) {
    return Refusal{"version_required",
                   "the image calls itself \"" + release.descriptor_version +
                       "\", which is no semantic version",
                   "add version=MAJOR.MINOR.PATCH"};
  }
  release.version = version.value_or(release.descriptor_version);
  return std::nullopt;
}

Refusal not_kept(const StoreError& error) {
  return {error.fault == StoreFault::disk_full ? "disk_full" : "internal",
          error.detail,
          "see the server's log; after making room, upload again: nothing was kept"};
}

/// Registers the release; the second of two equal ones is the first.
Response register_release(const Release& release, const Request& request, Services& services) {
  bool added = false;
  std::optional<Release> there;
  services.store.write([&](StoreTransaction& transaction) {
    there = transaction.release_named(release.product, release.version, release.hardware);
    if (!there) added = transaction.add_release(release);
    if (!added) return;
    note(transaction,
         services,
         request,
         "release.publish",
         release.id,
         contract::audit_detail({{"product", release.product},
                                 {"version", release.version},
                                 {"sha256", release.sha256}}));
  });
  if (added) return json_reply(json_of(release, services.downloads, services.now()), 201);
  if (there->sha256 != release.sha256) return problem(release_exists(*there));
  return json_reply(json_of(*there, services.downloads, services.now()));
}

}  // namespace

Refusal release_exists(const Release& other) {
  return {"release_exists",
          other.product + " " + other.version +
              " is published already for this hardware, as release " + other.id + " with digest " +
              other.sha256,
          "a version is one image for ever: raise the version"};
}

std::optional<Refusal> outside_product(const Request& request, const std::string& product) {
  const Caller& caller = *request.caller;
  if (may_publish_for(caller, product)) return std::nullopt;
  return Refusal{
      "forbidden",
      caller.actor + " may publish for the product " + caller.product + " only, not for " + product,
      "use a token made for this product, or one with the role publisher"};
}

std::optional<Refusal> keep_image(const Request& request, Services& services) {
  const auto put = request.body_file ? services.artifacts.put(*request.body_file)
                                     : services.artifacts.put(request.body);
  if (!put) return not_kept(put.error);
  return std::nullopt;
}

std::string notes_of(const Request& request) {
  return parameter(request, "notes").value_or("").substr(0, longest_notes);
}

Response publish_release(const Request& request, const PathParameters&, Services& services) {
  auto inspected = inspect_upload(request);
  if (!inspected) return problem(inspected.refusal());
  if (const auto header = request.header("otaria-manifest")) {
    const auto file = crypto::from_base64url(*header);
    if (!file || file->empty()) {
      return problem({"bad_request",
                      "the header Otaria-Manifest is not base64url of a manifest file",
                      "encode the whole file, without padding"});
    }
    return publish_signed_release(request, *file, inspected.value(), services);
  }
  auto named = named_by(request, std::move(inspected.value()));
  if (!named) return problem(named.refusal());
  Release& release = named.value();
  if (const auto refusal = outside_product(request, release.product)) return problem(*refusal);
  if (const auto refusal = give_version(request, release)) return problem(*refusal);

  // A name that is taken is refused before the bytes are kept: nobody would ever remove them.
  std::optional<Release> taken;
  services.store.read([&](StoreView& view) {
    taken = view.release_named(release.product, release.version, release.hardware);
  });
  if (taken && taken->sha256 != release.sha256) return problem(release_exists(*taken));

  if (const auto refusal = keep_image(request, services)) return problem(*refusal);
  release.created_at = services.now();
  release.id = services.ulids.next(static_cast<std::uint64_t>(services.clock()));
  return register_release(release, request, services);
}

Response list_releases(const Request& request, const PathParameters&, Services& services) {
  const auto slice = slice_from(request);
  if (!slice) return problem(slice.refusal());
  const ReleaseFilter filter{.product = parameter(request, "product"),
                             .version = parameter(request, "version")};
  std::vector<Release> releases;
  services.store.read(
      [&](StoreView& view) { releases = view.releases(filter, one_more(slice.value())); });
  return list_reply<Release>(
      std::move(releases),
      slice.value(),
      [&](const Release& release) { return json_of(release, services.downloads, services.now()); },
      [](const Release& release) { return release.id; });
}

Response show_release(const Request&, const PathParameters& path, Services& services) {
  std::optional<Release> release;
  services.store.read([&](StoreView& view) { release = view.release(path[0]); });
  if (!release)
    return problem({"unknown_release",
                    "there is no release \"" + path[0] + "\"",
                    "otaria release list shows them"});
  return json_reply(json_of(*release, services.downloads, services.now()));
}

// Only what the fast path of the HTTP server has not open yet comes here.
Response send_image(const Request& request, const PathParameters&, Services& services) {
  const auto digest = digest_of_path(request.path);
  if (!digest)
    return problem({"not_found",
                    "images lie at /firmware/<sha256>.bin",
                    "take the URL from otaria release show"});
  const DownloadClaim claim{.path = request.path,
                            .end = request.query_value("e").value_or(""),
                            .signature = request.query_value("s").value_or(""),
                            .authorization = request.header("authorization").value_or("")};
  if (const auto refusal = services.downloads.refusal_of(claim, services.now())) {
    Response refused = problem(*refusal);
    if (refused.status == 401) refused.headers.emplace_back("WWW-Authenticate", "Bearer");
    return refused;
  }
  auto opened = services.artifacts.open(*digest);
  if (opened.file) {
    Response response;
    response.file = std::move(opened.file);
    return response;
  }
  if (opened.error.fault == StoreFault::not_found) {
    return problem({"not_found",
                    "there is no image with this digest",
                    "publish it first: otaria release publish FILE"});
  }
  return problem({"internal",
                  "the image cannot be read; the server's log says why",
                  "publish the file again"});
}

}  // namespace otaria::server
