#include <spdlog/spdlog.h>

#include <charconv>

#include "contract/trust/signed_file.hpp"
#include "contract/ulid.hpp"
#include "server/api/approval_acts.hpp"
#include "server/api/audit_note.hpp"
#include "server/api/handlers.hpp"
#include "server/api/json.hpp"
#include "server/api/memory_file.hpp"
#include "server/api/problem.hpp"
#include "server/api/replies.hpp"
#include "server/trust/key_list_file.hpp"

namespace otaria::server {
namespace {

constexpr std::string_view suffix = ".jws";
constexpr const char* immutable_lines =
    "Content-Type: application/jose\r\n"
    "Cache-Control: public, max-age=31536000, immutable\r\n";
constexpr const char* newest_lines =
    "Content-Type: application/jose\r\n"
    "Cache-Control: no-cache\r\n";

/// `NAME` of `NAME.jws`; empty for another file.
std::string_view name_of_file(std::string_view file) {
  return file.ends_with(suffix) ? file.substr(0, file.size() - suffix.size()) : "";
}

Response file_reply(const std::string& bytes, const char* header_lines) {
  Response response;
  response.file = memory_file(bytes, header_lines);
  return response;
}

Refusal no_key_list() {
  return {
      "unknown_keylist", "no key list is published", "publish one: otaria keylist publish FILE"};
}

void note_published(StoreTransaction& transaction,
                    const Services& services,
                    const Request& request,
                    const StoredKeyList& list) {
  note(transaction,
       services,
       request,
       "keylist.publish",
       std::to_string(list.serial),
       contract::audit_detail({{"payload_sha256", list.payload_sha256}}));
}

void log_published(const StoredKeyList& list, const KeyListContent& content, bool first) {
  spdlog::info("key list {} is published (payload {})", list.serial, list.payload_sha256);
  if (!first) return;
  std::string roots;
  for (const auto& key : content.keys) {
    if (key.role == "root") roots += " " + key.id;
  }
  spdlog::warn("it is the first one and was judged by itself only: compare its roots with yours:{}",
               roots);
}

}  // namespace

Response publish_key_list(const Request& request, const PathParameters&, Services& services) {
  if (request.body_size() == 0) {
    return problem({"bad_request", "the request has no body", "send the .jws file as the body"});
  }
  if (request.body_file) {
    return problem({"image_too_large",
                    "the key list has more than " +
                        std::to_string(contract::key_list_kind.file_bytes) + " bytes",
                    "leave out keys and pins that nobody needs any more"});
  }
  std::optional<Outcome<StoredKeyList>> judged;
  std::optional<Outcome<Approval>> asked;
  bool added = false;
  bool first = false;
  services.store.write([&](StoreTransaction& transaction) {
    const auto newest = transaction.newest_key_list();
    first = !newest;
    judged = judge_key_list_file(request.body, newest, services.now());
    if (!*judged) return;
    const StoredKeyList& list = judged->value();
    if (services.approvals.asks(ApprovalVerb::keylist_publish) &&
        !transaction.key_list(list.serial)) {
      asked = await_approval(transaction,
                             request,
                             services,
                             {.verb = ApprovalVerb::keylist_publish,
                              .content = list.file,
                              .summary = "key list " + std::to_string(list.serial)});
      return;
    }
    added = transaction.add_key_list(list);
    if (added) note_published(transaction, services, request, judged->value());
  });
  if (!*judged) {
    if (judged->refusal().code == "keylist_conflict") {
      ++services.trust.key_list_conflicts;
      spdlog::critical("ALARM: {} (upload from {})", judged->refusal().detail, request.remote);
    }
    return problem(judged->refusal());
  }
  if (asked) {
    return *asked ? awaiting_reply(asked->value(), services.now()) : problem(asked->refusal());
  }
  const StoredKeyList& list = judged->value();
  const KeyListContent content = content_of(list);
  if (added) log_published(list, content, first);
  return json_reply(json_of(list, content), added ? 201 : 200);
}

Response show_key_list(const Request&, const PathParameters&, Services& services) {
  std::optional<StoredKeyList> list;
  services.store.read([&](StoreView& view) { list = view.newest_key_list(); });
  if (!list) return problem(no_key_list());
  return json_reply(json_of(*list, content_of(*list)));
}

Response send_newest_key_list(const Request&, const PathParameters&, Services& services) {
  std::optional<StoredKeyList> list;
  services.store.read([&](StoreView& view) { list = view.newest_key_list(); });
  if (!list) return problem(no_key_list());
  return file_reply(list->file, newest_lines);
}

Response send_key_list(const Request&, const PathParameters& path, Services& services) {
  const std::string_view name = name_of_file(path[0]);
  std::uint32_t serial = 0;
  const auto [stop, error] = std::from_chars(name.data(), name.data() + name.size(), serial);
  std::optional<StoredKeyList> list;
  // One name for one list: no leading zeros.
  if (error == std::errc{} && name == std::to_string(serial)) {
    services.store.read([&](StoreView& view) { list = view.key_list(serial); });
  }
  if (!list) {
    return problem({"not_found",
                    "there is no such key list",
                    "lists lie at /keys/<serial>.jws, the newest at /keys.jws"});
  }
  return file_reply(list->file, immutable_lines);
}

Response send_manifest(const Request&, const PathParameters& path, Services& services) {
  const std::string_view id = name_of_file(path[0]);
  std::optional<StoredManifest> manifest;
  if (contract::is_ulid(id)) {
    services.store.read([&](StoreView& view) { manifest = view.manifest(id); });
  }
  if (!manifest) {
    return problem({"not_found",
                    "there is no such manifest",
                    "manifests lie at /manifests/<id>.jws: see otaria release show"});
  }
  return file_reply(manifest->file, immutable_lines);
}

}  // namespace otaria::server
