#include "server/broker/message_reader.hpp"

#include "contract/host/codec.hpp"

namespace otaria::server {
namespace {

BadMessage bad(contract::Defect defect, const std::string& member) {
  return {std::string{contract::name_of(defect)} + (member.empty() ? "" : " in " + member)};
}

StatusReport report_of(contract::HostStatus status) {
  StatusReport report;
  report.id = std::move(status.id);
  report.version = std::move(status.version);
  report.build = status.build.value_or("");
  report.update = status.update.value_or("");
  report.target = status.target.value_or("");
  report.state = status.state;
  report.progress = status.progress;
  if (status.error) {
    report.error = UpdateError{status.error->code, status.error->detail, status.error->hint};
  }
  report.seq = status.seq;
  if (status.at) report.at = *status.at;
  return report;
}

StateReport report_of(contract::HostState state, bool retained) {
  StateReport report;
  report.id = std::move(state.id);
  report.mac = std::move(state.mac);
  report.online = state.online.value_or(false);
  report.session = state.session.value_or(0);
  report.product = std::move(state.product);
  report.hardware = std::move(state.hardware);
  report.chip = std::move(state.chip);
  report.channel = std::move(state.channel);
  report.version = std::move(state.version);
  report.build = std::move(state.build);
  report.image = std::move(state.image);
  report.slot = std::move(state.slot);
  report.mode = std::move(state.mode);
  report.agent = std::move(state.agent);
  report.reset_reason = std::move(state.reset_reason);
  report.confirmed = state.confirmed;
  report.security_counter = state.security_counter;
  report.keys = state.keys;
  report.max_image = state.max_image;
  if (state.last) {
    report.last = LastOutcome{state.last->update.value_or(""),
                              state.last->target.value_or(""),
                              state.last->state,
                              state.last->seq};
  }
  report.seq = state.seq;
  report.seq_reset = state.seq_reset;
  report.retained = retained;
  return report;
}

}  // namespace

Report read_message(std::string_view topic, std::string_view payload, bool retained) {
  const std::string_view topic_id = topic.substr(0, topic.find('/'));
  if (!contract::is_device_id(topic_id)) return BadMessage{"the topic names no device"};
  const std::string_view suffix = topic.substr(topic_id.size());
  const BadMessage foreign{"the id inside is not the topic's"};
  if (suffix == contract::status_topic_suffix) {
    auto status = contract::decode_status(payload);
    if (!status) return bad(status.defect, status.member);
    if (status.value->id != topic_id) return foreign;
    return report_of(std::move(*status.value));
  }
  if (suffix != contract::state_topic_suffix) return BadMessage{"the topic is not ours"};
  auto state = contract::decode_state(payload);
  if (!state) return bad(state.defect, state.member);
  if (state.value->id != topic_id) return foreign;
  if (!state.value->session || !state.value->online)
    return BadMessage{"missing_member in session or online"};
  return report_of(std::move(*state.value), retained);
}

}  // namespace otaria::server
