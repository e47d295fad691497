#include <mosquitto.h>
// In this order: the last uses a type of the second without including it.
#include <mosquitto_broker.h>
#include <mosquitto_plugin.h>

#include <algorithm>
#include <ctime>
#include <exception>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "server/broker/plugin/gate.hpp"

/// Mosquitto's side of the plugin, API version 5: turns its events into questions to the Gate.
/// The three functions below are the only symbols that the library exports (exports.map).
///
/// Thread  the broker's.
/// Errors  no exception leaves a callback: whatever goes wrong there is a refusal. An answer
///         outside the documented ones would close connections without a word.
/// Source  mosquitto_plugin.h, mosquitto_broker.h of Mosquitto 2.0; reference broker
///         authentication, section 5.
namespace {

using otaria::broker_plugin::Access;
using otaria::broker_plugin::Gate;
using otaria::broker_plugin::Severity;

constexpr int plugin_api = 5;

void log_line(Severity severity, const std::string& line) {
  constexpr int levels[]{MOSQ_LOG_INFO, MOSQ_LOG_NOTICE, MOSQ_LOG_WARNING, MOSQ_LOG_ERR};
  mosquitto_log_printf(levels[static_cast<int>(severity)], "otaria: %s", line.c_str());
}

std::int64_t unix_now() {
  return static_cast<std::int64_t>(std::time(nullptr));
}

std::optional<std::string_view> text_or_nothing(const char* text) {
  if (text == nullptr) return std::nullopt;
  return std::string_view{text};
}

std::optional<std::string_view> id_of(const mosquitto* client) {
  return text_or_nothing(mosquitto_client_id(client));
}

/// Runs one callback's body; what it throws becomes `if_thrown`.
template <class Body>
int guarded(int if_thrown, Body body) noexcept {
  try {
    return body();
  } catch (const std::exception& thrown) {
    mosquitto_log_printf(MOSQ_LOG_ERR, "otaria: %s", thrown.what());
  } catch (...) {
    mosquitto_log_printf(MOSQ_LOG_ERR, "otaria: an exception of unknown type");
  }
  return if_thrown;
}

int on_basic_auth(int /*event*/, void* data, void* gate) {
  return guarded(MOSQ_ERR_AUTH, [&] {
    const auto& asked = *static_cast<const mosquitto_evt_basic_auth*>(data);
    const bool good = static_cast<Gate*>(gate)->authenticate(asked.client,
                                                             id_of(asked.client),
                                                             text_or_nothing(asked.username),
                                                             text_or_nothing(asked.password),
                                                             unix_now());
    return good ? MOSQ_ERR_SUCCESS : MOSQ_ERR_AUTH;
  });
}

std::optional<Access> access_of(int access) {
  switch (access) {
    case MOSQ_ACL_READ:
      return Access::read;
    case MOSQ_ACL_WRITE:
      return Access::write;
    case MOSQ_ACL_SUBSCRIBE:
      return Access::subscribe;
    case MOSQ_ACL_UNSUBSCRIBE:
      return Access::unsubscribe;
    default:
      return std::nullopt;
  }
}

int on_acl_check(int /*event*/, void* data, void* gate) {
  return guarded(MOSQ_ERR_ACL_DENIED, [&] {
    const auto& asked = *static_cast<const mosquitto_evt_acl_check*>(data);
    const auto access = access_of(asked.access);
    const bool permitted = access && asked.topic != nullptr &&
                           static_cast<Gate*>(gate)->authorize(
                               *access,
                               id_of(asked.client),
                               text_or_nothing(mosquitto_client_username(asked.client)),
                               asked.topic,
                               unix_now());
    return permitted ? MOSQ_ERR_SUCCESS : MOSQ_ERR_ACL_DENIED;
  });
}

int on_disconnect(int /*event*/, void* data, void* gate) {
  return guarded(MOSQ_ERR_SUCCESS, [&] {
    const auto& told = *static_cast<const mosquitto_evt_disconnect*>(data);
    // A refused client has no id here.
    static_cast<Gate*>(gate)->disconnected(told.client, id_of(told.client));
    return MOSQ_ERR_SUCCESS;
  });
}

int on_tick(int /*event*/, void* /*data*/, void* gate) {
  return guarded(MOSQ_ERR_SUCCESS, [&] {
    static_cast<Gate*>(gate)->tick(unix_now(), [](const std::string& client_id) {
      mosquitto_kick_client_by_clientid(client_id.c_str(), true);
    });
    return MOSQ_ERR_SUCCESS;
  });
}

// Files are read again by the tick. Any other answer would end the chain of reload callbacks.
int on_reload(int /*event*/, void* /*data*/, void* /*gate*/) {
  return MOSQ_ERR_PLUGIN_DEFER;
}

int register_callbacks(mosquitto_plugin_id_t* plugin, Gate* gate) {
  constexpr std::pair<int, MOSQ_FUNC_generic_callback> callbacks[]{
      {MOSQ_EVT_BASIC_AUTH, on_basic_auth},
      {MOSQ_EVT_ACL_CHECK, on_acl_check},
      {MOSQ_EVT_DISCONNECT, on_disconnect},
      {MOSQ_EVT_TICK, on_tick},
      {MOSQ_EVT_RELOAD, on_reload},
  };
  for (const auto& [event, callback] : callbacks) {
    const int code = mosquitto_callback_register(plugin, event, callback, nullptr, gate);
    if (code != MOSQ_ERR_SUCCESS) return code;
  }
  return MOSQ_ERR_SUCCESS;
}

}  // namespace

#pragma GCC visibility push(default)
extern "C" {

int mosquitto_plugin_version(int supported_version_count, const int* supported_versions) {
  const int* const end = supported_versions + supported_version_count;
  return std::find(supported_versions, end, plugin_api) != end ? plugin_api : -1;
}

// Anything but 0 keeps the broker from starting: it must not run open.
int mosquitto_plugin_init(mosquitto_plugin_id_t* identifier,
                          void** userdata,
                          mosquitto_opt* options,
                          int option_count) {
  return guarded(MOSQ_ERR_UNKNOWN, [&]() -> int {
    std::vector<std::pair<std::string_view, std::string_view>> named;
    for (const mosquitto_opt* option = options; option != options + option_count; ++option) {
      named.emplace_back(option->key, option->value == nullptr ? "" : option->value);
    }
    auto reading = otaria::broker_plugin::read_settings(named);
    if (!reading.error.empty()) {
      log_line(Severity::error, reading.error);
      return MOSQ_ERR_INVAL;
    }
    auto gate = std::make_unique<Gate>(std::move(reading.settings), log_line);
    if (!gate->start(unix_now())) return MOSQ_ERR_INVAL;
    const int code = register_callbacks(identifier, gate.get());
    // Callbacks that were registered must not outlive their gate, so it stays even on an error:
    // the broker calls cleanup, or ends.
    *userdata = gate.release();
    return code;
  });
}

int mosquitto_plugin_cleanup(void* userdata, mosquitto_opt* /*options*/, int /*option_count*/) {
  delete static_cast<Gate*>(userdata);
  return MOSQ_ERR_SUCCESS;
}

}  // extern "C"
#pragma GCC visibility pop
