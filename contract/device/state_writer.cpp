#include "contract/device/state_writer.hpp"

#include "contract/device/json_writer.hpp"

namespace otaria::contract {
namespace {

/// What is not known is not said: an empty text would look like a value.
void write_known(JsonWriter& json, std::string_view name, std::string_view value) {
  if (!value.empty()) json.member(name, value);
}

void write_known(JsonWriter& json, std::string_view name, const std::optional<bool>& value) {
  if (value) json.member(name, *value);
}

void write_last(JsonWriter& json, const LastOutcome& last) {
  json.name("last");
  json.begin_object();
  write_known(json, "update", last.update);
  write_known(json, "target", last.target);
  json.member("state", name_of(last.state));
  json.member("seq", last.seq);
  json.end_object();
}

void write_identity(JsonWriter& json, const StateFields& fields) {
  json.member("id", fields.id);
  write_known(json, "mac", fields.mac);
  json.member("online", fields.online);
  json.member("session", fields.session);
  write_known(json, "product", fields.product);
  write_known(json, "hardware", fields.hardware);
  write_known(json, "chip", fields.chip);
  write_known(json, "channel", fields.channel);
}

void write_running_image(JsonWriter& json, const StateFields& fields) {
  const auto image = hex_of(fields.image);
  json.member("version", fields.version);
  write_known(json, "build", fields.build);
  json.member("image", std::string_view{image.data(), image.size()});
  write_known(json, "slot", fields.slot);
  json.member("confirmed", fields.confirmed);
  json.member("security_counter", fields.security_counter);
}

}  // namespace

std::size_t write_state(const StateFields& fields, std::span<char> out) {
  JsonWriter json{out};
  json.begin_object();
  write_identity(json, fields);
  write_running_image(json, fields);
  json.member("keys", fields.keys);
  write_known(json, "keys_expired", fields.keys_expired);
  write_known(json, "fallback_below_floor", fields.fallback_below_floor);
  json.member("mode", fields.development ? "development" : "production");
  write_known(json, "clock", fields.clock);
  write_known(json, "agent", fields.agent);
  json.member("max_image", fields.max_image);
  json.name("patch");
  json.empty_array();
  write_known(json, "reset_reason", fields.reset_reason);
  if (fields.last) write_last(json, *fields.last);
  json.member("seq", fields.seq);
  if (fields.seq_reset) json.member("seq_reset", true);
  json.end_object();
  return json.finish();
}

std::size_t write_will(std::string_view id,
                       std::string_view version,
                       std::uint32_t session,
                       std::span<char> out) {
  JsonWriter json{out};
  json.begin_object();
  json.member("id", id);
  json.member("version", version);
  json.member("online", false);
  json.member("session", session);
  json.end_object();
  return json.finish();
}

}  // namespace otaria::contract
