#include "server/api/handlers.hpp"
#include "server/api/json.hpp"
#include "server/api/problem.hpp"
#include "server/api/replies.hpp"

namespace otaria::server {
namespace {

constexpr std::size_t shown_updates = 20;

Refusal unknown(const std::string& id) {
  return {"unknown_device",
          "no device \"" + id + "\" has reported yet",
          "a device registers itself when it first connects"};
}

}  // namespace

Response list_devices(const Request& request, const PathParameters&, Services& services) {
  const auto slice = slice_from(request);
  if (!slice) return problem(slice.refusal());
  const DeviceFilter filter{.text = parameter(request, "q").value_or("")};
  std::vector<Device> devices;
  services.store.read(
      [&](StoreView& view) { devices = view.devices(filter, one_more(slice.value())); });
  return list_reply<Device>(
      std::move(devices),
      slice.value(),
      [&](const Device& device) {
        return json_of(device, is_online(device, services.now(), services.silence_s));
      },
      [](const Device& device) { return std::to_string(device.ordinal); });
}

Response show_device(const Request&, const PathParameters& path, Services& services) {
  std::optional<Device> device;
  std::vector<Deployment> updates;
  services.store.read([&](StoreView& view) {
    device = view.device(path[0]);
    if (device) updates = view.deployments({.device = path[0]}, {.limit = shown_updates});
  });
  if (!device) return problem(unknown(path[0]));
  return json_reply(
      json_of(*device, is_online(*device, services.now(), services.silence_s), updates));
}

Response list_statuses(const Request& request, const PathParameters& path, Services& services) {
  const auto slice = slice_from(request);
  if (!slice) return problem(slice.refusal());
  std::optional<Device> device;
  std::vector<StatusRecord> statuses;
  const std::string update = parameter(request, "update").value_or("");
  services.store.read([&](StoreView& view) {
    device = view.device(path[0]);
    if (device) statuses = view.statuses(path[0], update, one_more(slice.value()));
  });
  if (!device) return problem(unknown(path[0]));
  return list_reply<StatusRecord>(
      std::move(statuses),
      slice.value(),
      [](const StatusRecord& status) { return json_of(status); },
      [](const StatusRecord& status) { return std::to_string(status.ordinal); });
}

}  // namespace otaria::server
