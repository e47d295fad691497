#include "server/api/json.hpp"

#include <limits>
#include <nlohmann/json.hpp>

#include "server/api/approval_json.hpp"

namespace otaria::server {
namespace {

using Json = nlohmann::ordered_json;

std::string written(const Json& json) {
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

template <class T>
Json or_null(const std::optional<T>& value) {
  return value ? Json(*value) : Json(nullptr);
}

Json error_json(const std::optional<UpdateError>& error) {
  if (!error) return nullptr;
  return {{"code", error->code}, {"detail", error->detail}, {"hint", error->hint}};
}

void add_progress(Json& json, const std::optional<contract::Progress>& progress) {
  json["progress"] = progress ? Json(progress->percent) : Json(nullptr);
  json["bytes"] = progress ? Json(progress->bytes) : Json(nullptr);
  json["total"] = progress ? Json(progress->total) : Json(nullptr);
}

Json device_json(const Device& device, bool online) {
  return {{"id", device.id},
          {"mac", or_null(device.mac)},
          {"product", or_null(device.product)},
          {"hardware", or_null(device.hardware)},
          {"chip", or_null(device.chip)},
          {"channel", or_null(device.channel)},
          {"version", or_null(device.version)},
          {"build", or_null(device.build)},
          {"image", or_null(device.image)},
          {"slot", or_null(device.slot)},
          {"confirmed", or_null(device.confirmed)},
          {"online", online},
          {"mode", or_null(device.mode)},
          {"agent", or_null(device.agent)},
          {"security_counter", or_null(device.security_counter)},
          {"keys", or_null(device.keys)},
          {"max_image", or_null(device.max_image)},
          {"reset_reason", or_null(device.reset_reason)},
          {"first_seen", device.first_seen},
          {"last_seen", device.last_seen},
          {"update", or_null(device.update)}};
}

Json deployment_json(const Deployment& deployment) {
  Json json{{"id", deployment.id},
            {"device", deployment.device},
            {"release", or_null(deployment.release)},
            {"target", deployment.target},
            {"from", or_null(deployment.from)},
            {"sha256", deployment.sha256},
            {"size", or_null(deployment.size)},
            {"force", deployment.force},
            {"manifest", or_null(deployment.manifest)},
            {"state", std::string{state_name(deployment)}}};
  add_progress(json, deployment.progress);
  json["error"] = error_json(deployment.error);
  json["created_at"] = deployment.created_at;
  json["updated_at"] = deployment.updated_at;
  json["delivered"] = deployment.delivered();
  json["final"] = deployment.final();
  json["withdrawn"] = deployment.withdrawn;
  json["superseded"] = deployment.superseded;
  return json;
}

Json status_json(const StatusRecord& record) {
  Json json{{"update", record.update.empty() ? Json(nullptr) : Json(record.update)},
            {"state", std::string{contract::name_of(record.state)}},
            {"at", record.received_at},
            {"device_at", or_null(record.at)},
            {"seq", record.place.seq},
            {"version", record.version},
            {"target", record.target}};
  add_progress(json, record.progress);
  json["error"] = error_json(record.error);
  return json;
}

Refusal bad(std::string detail) {
  return {"bad_request", std::move(detail), "see docs/spec/rest.md"};
}

/// Reads members of one object; the first that is wrong is kept.
class Reader {
 public:
  explicit Reader(const Json& object) : object_{object} {}

  std::optional<std::string> text(const char* name) {
    const Json* member = find(name);
    if (member == nullptr) return std::nullopt;
    if (!member->is_string()) return wrong<std::string>(name, "a text");
    return member->get<std::string>();
  }
  bool flag(const char* name) {
    const Json* member = find(name);
    if (member == nullptr) return false;
    if (!member->is_boolean()) return wrong<bool>(name, "true or false").value_or(false);
    return member->get<bool>();
  }
  std::optional<std::uint32_t> number(const char* name) {
    constexpr std::uint64_t most = std::numeric_limits<std::uint32_t>::max();
    const Json* member = find(name);
    if (member == nullptr) return std::nullopt;
    if (!member->is_number_unsigned() || member->get<std::uint64_t>() > most) {
      return wrong<std::uint32_t>(name, "a whole number from 0 to 4294967295");
    }
    return member->get<std::uint32_t>();
  }
  std::vector<std::string> texts(const char* name) {
    std::vector<std::string> all;
    const Json* member = find(name);
    if (member == nullptr) return all;
    const auto is_text = [](const Json& item) { return item.is_string(); };
    if (!member->is_array() || !std::all_of(member->begin(), member->end(), is_text)) {
      wrong<bool>(name, "a list of texts");
      return all;
    }
    for (const Json& item : *member) all.push_back(item.get<std::string>());
    return all;
  }
  [[nodiscard]] const std::optional<Refusal>& refusal() const { return refusal_; }

 private:
  const Json* find(const char* name) const {
    const auto found = object_.find(name);
    return found == object_.end() || found->is_null() ? nullptr : &*found;
  }
  template <class T>
  std::optional<T> wrong(const char* name, const std::string& what) {
    if (!refusal_) refusal_ = bad(std::string{"`"} + name + "` is not " + what);
    return std::nullopt;
  }

  const Json& object_;
  std::optional<Refusal> refusal_;
};

ExternalImage external_from(Reader& reader) {
  ExternalImage image;
  image.version = reader.text("version").value_or("");
  image.url = reader.text("url").value_or("");
  image.sha256 = reader.text("signature").value_or("");
  image.size = reader.number("size");
  return image;
}

}  // namespace

std::string json_of(const Release& release, const Downloads& downloads, std::int64_t now) {
  Json json{{"id", release.id},
            {"product", release.product},
            {"version", release.version},
            {"hardware", release.hardware},
            {"channel", release.channel.empty() ? Json(nullptr) : Json(release.channel)},
            {"chip", release.chip},
            {"size", release.size},
            {"sha256", release.sha256},
            {"build", release.build},
            {"project", release.project},
            {"descriptor_version", release.descriptor_version},
            {"idf_version", release.idf_version},
            {"state", "published"},
            {"notes", release.notes},
            {"created_at", release.created_at},
            {"url", downloads.image(release.sha256, now).text}};
  if (!release.manifest) return written(json);
  const ReleaseManifest& manifest = *release.manifest;
  json["manifest"] = downloads.manifest(manifest.id);
  json["security_counter"] = manifest.security_counter;
  json["issued"] = manifest.issued;
  json["expires"] = manifest.expires;
  json["keys"] = manifest.keys;
  json["signed_by"] = manifest.signed_by;
  if (!manifest.min_version.empty()) json["min_version"] = manifest.min_version;
  return written(json);
}

std::string json_of(const StoredKeyList& list, const KeyListContent& content) {
  const auto threshold = [&](contract::KeyRole role) { return content.head.threshold_of(role); };
  Json json{{"serial", list.serial},
            {"epoch", list.epoch},
            {"issued", list.issued},
            {"expires", list.expires},
            {"threshold",
             {{"root", threshold(contract::KeyRole::root)},
              {"release", threshold(contract::KeyRole::release)},
              {"order", threshold(contract::KeyRole::order)}}},
            {"keys", Json::array()},
            {"revoked", content.revoked},
            {"floor", Json::object()},
            {"pins", Json::object()},
            {"payload_sha256", list.payload_sha256},
            {"published_at", list.created_at}};
  for (const auto& key : content.keys) {
    json["keys"].push_back(
        {{"kid", key.id}, {"alg", key.algorithm}, {"pub", key.public_key}, {"role", key.role}});
  }
  for (const auto& [product, counter] : content.floors) json["floor"][product] = counter;
  for (const auto& [host, pins] : content.pins) json["pins"][host] = pins;
  return written(json);
}

std::string json_of(const Device& device, bool online) {
  return written(device_json(device, online));
}

std::string json_of(const Device& device, bool online, const std::vector<Deployment>& updates) {
  Json json = device_json(device, online);
  json["updates"] = Json::array();
  for (const Deployment& update : updates) json["updates"].push_back(deployment_json(update));
  return written(json);
}

std::string json_of(const Deployment& deployment) {
  return written(deployment_json(deployment));
}

std::string json_of(const Deployment& deployment, const std::vector<StatusRecord>& history) {
  Json json = deployment_json(deployment);
  json["history"] = Json::array();
  for (const StatusRecord& record : history) json["history"].push_back(status_json(record));
  return written(json);
}

std::string json_of(const StatusRecord& record) {
  return written(status_json(record));
}

std::string problem_json(int status, const std::string& title, const Refusal& refusal) {
  return written({{"type", "about:blank"},
                  {"title", title},
                  {"status", status},
                  {"code", refusal.code},
                  {"detail", refusal.detail},
                  {"hint", refusal.hint}});
}

std::string problem_code(const std::string& problem) {
  const Json json = Json::parse(problem, nullptr, false);
  const auto code = json.is_object() ? json.find("code") : json.end();
  return code != json.end() && code->is_string() ? code->get<std::string>() : std::string{};
}

std::string json_of(const ServerView& server) {
  return written({{"version", server.version},
                  {"started_at", server.started_at},
                  {"public_url", server.public_url},
                  {"broker", {{"url", server.broker_url}, {"connected", server.broker_connected}}},
                  {"access", server.open_access ? "open" : "tokens"},
                  {"development", server.development},
                  {"approvals", Json::parse(json_of(server.approvals))},
                  {"devices", server.counts.devices},
                  {"online", server.counts.online},
                  {"releases", server.counts.releases},
                  {"open_updates", server.counts.open_updates}});
}

std::string list_json(const std::vector<std::string>& items, const std::string& next) {
  std::string text = "{\"items\":[";
  for (const std::string& item : items) {
    if (text.back() != '[') text += ',';
    text += item;
  }
  return text + "],\"next\":" + (next.empty() ? "null" : written(Json(next))) + "}";
}

Outcome<SendRequest> send_request_from(const std::string& body) {
  const Json json = Json::parse(body, nullptr, false);
  if (!json.is_object()) return bad("the body is no JSON object");
  Reader reader{json};
  SendRequest request;
  request.devices = reader.texts("devices");
  request.release = reader.text("release").value_or("");
  request.product = reader.text("product");
  if (json.contains("url") || json.contains("signature")) request.external = external_from(reader);
  request.force = reader.flag("force");
  request.only_newer = reader.flag("preflight");
  request.spread_s = reader.number("spread").value_or(0);
  request.not_before = reader.number("not_before");
  request.deadline = reader.number("deadline");
  if (reader.refusal()) return *reader.refusal();
  return request;
}

}  // namespace otaria::server
