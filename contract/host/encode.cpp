#include <nlohmann/json.hpp>

#include "contract/host/codec.hpp"
#include "contract/packet.hpp"

namespace otaria::contract {
namespace {

using Json = nlohmann::ordered_json;

template <class T>
void put(Json& object, const char* name, const std::optional<T>& value) {
  if (value) object[name] = *value;
}

void put_name(Json& object, UpdateState state) {
  object["state"] = std::string{name_of(state)};
}

std::string dump(const Json& object) {
  return object.dump(-1, ' ', false, Json::error_handler_t::replace);
}

std::string text_of(const Digest& digest) {
  const auto hex = hex_of(digest);
  return {hex.data(), hex.size()};
}

Json last_of(const HostLast& last) {
  Json object;
  put(object, "update", last.update);
  put(object, "target", last.target);
  put_name(object, last.state);
  object["seq"] = last.seq;
  return object;
}

}  // namespace

std::string encode_notice(const Notice& notice) {
  Json object;
  object["version"] = std::string{notice.version.view()};
  object["url"] = std::string{notice.url.view()};
  object["signature"] = text_of(notice.digest);
  put(object, "size", notice.size);
  object["force"] = notice.force;
  if (!notice.update.empty()) object["update"] = std::string{notice.update.view()};
  if (!notice.manifest.empty()) object["manifest"] = std::string{notice.manifest.view()};
  if (notice.spread_s > 0) object["spread"] = notice.spread_s;
  put(object, "not_before", notice.not_before);
  put(object, "deadline", notice.deadline);
  return dump(object);
}

std::string encode_status(const HostStatus& status) {
  Json object;
  object["id"] = status.id;
  object["version"] = status.version;
  put(object, "build", status.build);
  put(object, "update", status.update);
  put(object, "target", status.target);
  put_name(object, status.state);
  if (status.progress) {
    object["progress"] = status.progress->percent;
    object["bytes"] = status.progress->bytes;
    object["total"] = status.progress->total;
  }
  if (status.error) {
    object["error"] = Json{{"code", status.error->code},
                           {"detail", status.error->detail},
                           {"hint", status.error->hint}};
  }
  object["seq"] = status.seq;
  put(object, "at", status.at);
  return dump(object);
}

std::string encode_state(const HostState& state) {
  Json object;
  object["id"] = state.id;
  put(object, "mac", state.mac);
  // A will's order: version stands behind the id when there is no identity between them.
  if (!state.mac) put(object, "version", state.version);
  put(object, "online", state.online);
  put(object, "session", state.session);
  put(object, "product", state.product);
  put(object, "hardware", state.hardware);
  put(object, "chip", state.chip);
  put(object, "channel", state.channel);
  if (state.mac) put(object, "version", state.version);
  put(object, "build", state.build);
  put(object, "image", state.image);
  put(object, "slot", state.slot);
  put(object, "confirmed", state.confirmed);
  put(object, "security_counter", state.security_counter);
  put(object, "keys", state.keys);
  put(object, "keys_expired", state.keys_expired);
  put(object, "fallback_below_floor", state.fallback_below_floor);
  put(object, "mode", state.mode);
  put(object, "clock", state.clock);
  put(object, "agent", state.agent);
  put(object, "max_image", state.max_image);
  put(object, "patch", state.patch);
  put(object, "reset_reason", state.reset_reason);
  if (state.last) object["last"] = last_of(*state.last);
  put(object, "seq", state.seq);
  if (state.seq_reset) object["seq_reset"] = true;
  return dump(object);
}

std::size_t notice_packet_bytes(std::string_view id, std::string_view payload) {
  return publish_packet_bytes(id.size() + notice_topic_suffix.size(), payload.size());
}

}  // namespace otaria::contract
