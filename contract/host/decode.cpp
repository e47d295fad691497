#include <algorithm>
#include <array>
#include <utility>

#include "contract/device/notice_reader.hpp"
#include "contract/host/codec.hpp"
#include "contract/host/members.hpp"

namespace otaria::contract {
namespace {

constexpr std::size_t max_chip_bytes = 16;  // clock too
constexpr std::size_t max_word_bytes = 32;  // slot, agent, reset_reason, error.code

constexpr std::array<std::string_view, 15> status_members{"id",
                                                          "version",
                                                          "build",
                                                          "update",
                                                          "target",
                                                          "state",
                                                          "progress",
                                                          "bytes",
                                                          "total",
                                                          "error",
                                                          "seq",
                                                          "at",
                                                          "error.code",
                                                          "error.detail",
                                                          "error.hint"};

constexpr std::array<std::string_view, 30> state_members{"id",          "mac",
                                                         "online",      "session",
                                                         "product",     "hardware",
                                                         "chip",        "channel",
                                                         "version",     "build",
                                                         "image",       "slot",
                                                         "confirmed",   "security_counter",
                                                         "keys",        "mode",
                                                         "agent",       "max_image",
                                                         "patch",       "reset_reason",
                                                         "last",        "seq",
                                                         "seq_reset",   "last.update",
                                                         "last.target", "last.state",
                                                         "last.seq",    "keys_expired",
                                                         "clock",       "fallback_below_floor"};

bool is_any_text(std::string_view) {
  return true;
}
bool is_build(std::string_view text) {
  return text.size() == build_text_bytes && is_lower_hex(text);
}
bool is_digest(std::string_view text) {
  return digest_from_hex(text).has_value();
}
bool is_mode(std::string_view text) {
  return text == "development" || text == "production";
}

template <class T>
Decoded<T> answer(T value, const Problem& problem) {
  Decoded<T> decoded{.value = std::nullopt, .defect = problem.defect, .member = problem.member};
  if (problem.defect == Defect::none) decoded.value = std::move(value);
  return decoded;
}

std::string for_people(std::optional<std::string> text) {
  if (!text) return {};
  for (char& c : *text) {
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7F) c = ' ';
  }
  return *std::move(text);
}

std::optional<HostError> read_error(const Members& members, Problem& problem) {
  const nlohmann::json* object = members.object("error");
  if (object == nullptr) return std::nullopt;
  const Members error{*object, problem, "error."};
  return HostError{
      .code = error.required("code", error.text("code", max_word_bytes, is_fault_code)),
      .detail = for_people(error.text("detail", max_packet_bytes, is_any_text)),
      .hint = for_people(error.text("hint", max_packet_bytes, is_any_text))};
}

/// The three members stand together or not at all.
std::optional<Progress> read_progress(const Members& members) {
  const auto percent = members.number("progress", 100);
  const auto bytes = members.number("bytes");
  const auto total = members.number("total");
  constexpr std::array names{"progress", "bytes", "total"};
  const auto absent = [&members](const char* name) { return members.find(name) == nullptr; };
  if (std::ranges::all_of(names, absent)) return std::nullopt;
  return Progress{.percent = members.required("progress", percent),
                  .bytes = members.required("bytes", bytes),
                  .total = members.required("total", total)};
}

std::optional<HostLast> read_last(const Members& members, Problem& problem) {
  const nlohmann::json* object = members.object("last");
  if (object == nullptr) return std::nullopt;
  const Members last{*object, problem, "last."};
  return HostLast{.update = last.text("update", max_update_id_bytes, is_update_id),
                  .target = last.text("target", max_version_bytes),
                  .state = last.required("state", last.state("state")),
                  .seq = last.required("seq", last.number("seq"))};
}

std::optional<std::vector<std::string>> read_patch(const Members& members) {
  const nlohmann::json* list = members.find("patch");
  if (list == nullptr) return std::nullopt;
  const auto is_text = [](const nlohmann::json& element) { return element.is_string(); };
  if (!list->is_array() || !std::ranges::all_of(*list, is_text)) {
    members.note(Defect::wrong_type, "patch");
    return std::nullopt;
  }
  return list->get<std::vector<std::string>>();
}

void read_identity(const Members& members, HostState& state) {
  state.id = members.required("id", members.text("id", max_device_id_bytes, is_device_id));
  state.mac = members.text("mac", mac_text_bytes, is_mac);
  state.online = members.boolean("online");
  state.session = members.number("session");
  state.product = members.text("product", max_name_bytes);
  state.hardware = members.text("hardware", max_name_bytes);
  state.chip = members.text("chip", max_chip_bytes);
  state.channel = members.text("channel", max_channel_bytes);
}

void read_running_image(const Members& members, HostState& state) {
  state.version = members.text("version", max_version_bytes, is_one_line);
  state.build = members.text("build", max_packet_bytes, is_build);
  state.image = members.text("image", max_packet_bytes, is_digest);
  state.slot = members.text("slot", max_word_bytes);
  state.confirmed = members.boolean("confirmed");
  state.security_counter = members.number("security_counter");
}

void read_agent(const Members& members, HostState& state) {
  state.keys = members.number("keys");
  state.keys_expired = members.boolean("keys_expired");
  state.fallback_below_floor = members.boolean("fallback_below_floor");
  state.mode = members.text("mode", max_packet_bytes, is_mode);
  state.clock = members.text("clock", max_chip_bytes);
  state.agent = members.text("agent", max_word_bytes);
  state.max_image = members.number("max_image");
  state.patch = read_patch(members);
  state.reset_reason = members.text("reset_reason", max_word_bytes);
  state.seq = members.number("seq");
  state.seq_reset = members.boolean("seq_reset").value_or(false);
}

}  // namespace

Decoded<Notice> decode_notice(std::string_view payload) {
  // One reader for both sides: what the device will take is what the host calls a notice.
  const NoticeReading reading = read_notice(payload);
  return answer(reading.notice, Problem{reading.defect, std::string{reading.member.view()}});
}

Decoded<HostStatus> decode_status(std::string_view payload) {
  Problem problem;
  HostStatus status;
  const nlohmann::json message = parse_message(payload, status_members, problem);
  if (!message.is_object()) return answer(std::move(status), problem);
  const Members members{message, problem};
  status.id = members.required("id", members.text("id", max_device_id_bytes, is_device_id));
  status.version =
      members.required("version", members.text("version", max_version_bytes, is_one_line));
  status.build = members.text("build", max_packet_bytes, is_build);
  status.update = members.text("update", max_update_id_bytes, is_update_id);
  status.target = members.text("target", max_version_bytes);
  status.state = members.required("state", members.state("state"));
  status.progress = read_progress(members);
  status.error = read_error(members, problem);
  status.seq = members.required("seq", members.number("seq"));
  status.at = members.number("at");
  return answer(std::move(status), problem);
}

Decoded<HostState> decode_state(std::string_view payload) {
  Problem problem;
  HostState state;
  const nlohmann::json message = parse_message(payload, state_members, problem);
  if (!message.is_object()) return answer(std::move(state), problem);
  const Members members{message, problem};
  read_identity(members, state);
  read_running_image(members, state);
  read_agent(members, state);
  state.last = read_last(members, problem);
  return answer(std::move(state), problem);
}

}  // namespace otaria::contract
