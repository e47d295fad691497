#include "operator/cli/testing/stage.hpp"

namespace otaria::cli::testing {
namespace {

using nlohmann::json;

json release() {
  return {{"id", Stage::release_id},
          {"product", "sensor"},
          {"version", "1.4.0"},
          {"hardware", json::array({"esp32s3-8mb"})},
          {"channel", "stable"},
          {"chip", "esp32s3"},
          {"size", 922809},
          {"sha256", std::string(64, 'a')},
          {"build", "0123456789abcdef"},
          {"project", "sensor"},
          {"descriptor_version", "1.4.0"},
          {"idf_version", "v5.5"},
          {"state", "published"},
          {"notes", ""},
          {"created_at", 1790000000},
          {"url", "http://127.0.0.1:8080/firmware/x.bin"}};
}

json device() {
  return {{"id", "sensor_A1B2"},
          {"mac", "a4cf12e0a1b2"},
          {"product", "sensor"},
          {"hardware", "esp32s3-8mb"},
          {"chip", "esp32s3"},
          {"channel", "stable"},
          {"version", "1.3.0"},
          {"confirmed", true},
          {"online", true},
          {"mode", "development"},
          {"max_image", 3342336},
          {"first_seen", 1790000000},
          {"last_seen", 1790000100},
          {"update", nullptr}};
}

bool has(const FakeServer::Seen& seen, const char* text) {
  return seen.target.find(text) != std::string::npos;
}

std::string last_segment(const std::string& target) {
  const std::string path = target.substr(0, target.find('?'));
  return path.substr(path.rfind('/') + 1);
}

}  // namespace

Stage::Stage() : server_([this](const FakeServer::Seen& seen) { return answer(seen); }) {}

json Stage::update(const std::string& id, const std::string& device_id) {
  return {{"id", id},
          {"device", device_id},
          {"release", release_id},
          {"target", "1.4.0"},
          {"from", "1.3.0"},
          {"sha256", std::string(64, 'a')},
          {"size", 922809},
          {"force", false},
          {"state", "offered"},
          {"progress", nullptr},
          {"bytes", nullptr},
          {"total", nullptr},
          {"error", nullptr},
          {"created_at", 1790000000},
          {"updated_at", 1790000000},
          {"delivered", false},
          {"final", false}};
}

void Stage::set_state(const std::string& id,
                      const std::string& state,
                      const json& more,
                      bool silently) {
  json told;
  {
    const std::lock_guard lock(mutex_);
    json& known = updates_[id];
    known["state"] = state;
    known["updated_at"] = ++now_;
    known["final"] =
        state == "succeeded" || state == "failed" || state == "rolled_back" || state == "refused";
    known.update(more);
    told = known;
    json status{{"state", state}, {"at", now_}, {"seq", now_ - 1790000000}};
    status.update(more);
    histories_.try_emplace(id, json::array()).first->second.push_back(status);
  }
  if (!silently) server_.send_event("update", told);
}

FakeServer::Reply Stage::answer(const FakeServer::Seen& seen) {
  if (seen.target.starts_with("/firmware/")) {
    return has(seen, "page.bin") ? FakeServer::Reply{200, "<!DOCTYPE html>", "text/html"}
           : has(seen, "gone.bin")
               ? FakeServer::Reply{404, "", "text/plain"}
               : FakeServer::Reply{
                     200, "\xE9" + std::string(99999, 'x'), "application/octet-stream"};
  }
  if (has(seen, "/events"))
    return events_ ? FakeServer::Reply{.events = true}
                   : FakeServer::problem(404, "not_found", "No events.", "");
  if (has(seen, "/releases")) return answer_releases(seen);
  if (has(seen, "/updates")) return answer_updates(seen);
  if (has(seen, "/devices")) return answer_devices(seen);
  if (has(seen, "/server")) {
    return FakeServer::json({{"version", "0.1.0"},
                             {"started_at", 1790000000},
                             {"public_url", url()},
                             {"broker", {{"url", "mqtt://x"}, {"connected", true}}},
                             {"devices", 1},
                             {"online", 1},
                             {"releases", 1},
                             {"open_updates", 0}});
  }
  return FakeServer::problem(404, "not_found", "There is nothing here.", "");
}

FakeServer::Reply Stage::answer_releases(const FakeServer::Seen& seen) const {
  if (seen.method == "POST") {
    if (has(seen, "version=9.9.9"))
      return FakeServer::problem(
          409, "release_exists", "sensor 9.9.9 exists with another digest.", "Raise the version.");
    return FakeServer::json(release(), has(seen, "version=1.3.9") ? 200 : 201);
  }
  if (has(seen, release_id)) return FakeServer::json(release());
  if (!seen.target.starts_with("/api/v1/releases?"))
    return FakeServer::problem(404, "unknown_release", "There is no such release.", "List them.");
  json items = json::array();
  if (!has(seen, "version=") || has(seen, "version=1.4.0")) items.push_back(release());
  if (has(seen, "version=2.0.0")) items = json::array({release(), release()});
  return FakeServer::json({{"items", items}, {"next", nullptr}});
}

FakeServer::Reply Stage::answer_updates(const FakeServer::Seen& seen) {
  const std::lock_guard lock(mutex_);
  if (seen.method == "POST") {
    const json body = json::parse(seen.body);
    json items = json::array();
    for (const auto& id : body.at("devices")) {
      if (id == "sensor_FFFF")
        return FakeServer::problem(404,
                                   "unknown_device",
                                   "No device sensor_FFFF has been seen.",
                                   "Check `otaria device list`.");
      const std::string update_id = "01JDUPDATE0000000000" + id.get<std::string>().substr(7) + "00";
      updates_[update_id] = update(update_id, id);
      items.push_back(updates_[update_id]);
    }
    return FakeServer::json({{"items", items}}, 202);
  }
  const std::string id = last_segment(seen.target);
  if (id != "updates" && !updates_.contains(id))
    return FakeServer::problem(404, "unknown_update", "There is no such update.", "List them.");
  if (id != "updates") {
    json found = updates_[id];
    if (seen.method == "DELETE" && found["final"] == true)
      return FakeServer::problem(409, "already_final", "It has ended.", "Send another.");
    found["history"] = histories_.contains(id) ? histories_[id] : json::array();
    return FakeServer::json(found);
  }
  json items = json::array();
  for (const auto& [key, value] : updates_) {
    if (!has(seen, "open=true") || value["final"] == false) items.push_back(value);
  }
  return FakeServer::json({{"items", items}, {"next", nullptr}});
}

FakeServer::Reply Stage::answer_devices(const FakeServer::Seen& seen) const {
  if (has(seen, "/statuses")) {
    return FakeServer::json({{"items",
                              json::array({{{"id", "sensor_A1B2"},
                                            {"version", "1.3.0"},
                                            {"state", "downloading"},
                                            {"progress", 42},
                                            {"seq", 7},
                                            {"target", "1.4.0"}}})},
                             {"next", nullptr}});
  }
  const std::string id = last_segment(seen.target);
  if (id == "devices")
    return FakeServer::json({{"items", json::array({device()})}, {"next", nullptr}});
  if (id != "sensor_A1B2")
    return FakeServer::problem(
        404, "unknown_device", "No such device has been seen.", "Check `otaria device list`.");
  json found = device();
  found["updates"] = json::array({update("01JDUPDATE0000000000A1B200", "sensor_A1B2")});
  return FakeServer::json(found);
}

}  // namespace otaria::cli::testing
