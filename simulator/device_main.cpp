#include <fmt/format.h>

#include <atomic>
#include <csignal>
#include <cstdio>
#include <exception>
#include <fstream>
#include <iostream>
#include <iterator>
#include <vector>

#include "device/identity/psa_device_key.hpp"
#include "device/verify/sha256.hpp"
#include "simulator/chip/inspection.hpp"
#include "simulator/device/command_line.hpp"

namespace {

using namespace otaria::simulator;

std::atomic<bool> stop{false};
static_assert(std::atomic<bool>::is_always_lock_free, "set from a signal handler");

int usage_error(const std::string& text) {
  std::cerr << "otaria-device: " << text << '\n';
  return exit_code::usage;
}

std::vector<std::uint8_t> image_from(const std::filesystem::path& file) {
  std::ifstream in{file, std::ios::binary};
  if (!in) throw ProvisioningError{"--factory: cannot read " + file.string()};
  return {std::istreambuf_iterator<char>{in}, {}};
}

std::string fresh_device_key() {
  const auto scalar = otaria::device::PsaDeviceKey::generate();
  if (!scalar) throw std::runtime_error{"the crypto library makes no key"};
  return {scalar->begin(), scalar->end()};
}

int provision_file(const CommandLine& line) {
  if (std::filesystem::exists(line.flash) && !line.overwrite) {
    if (line.run) return exit_code::done;  // made by an earlier call
    std::cerr << "otaria-device: " << line.flash.string()
              << " exists; add --overwrite to make a new device of it\n";
    return exit_code::unusable;
  }
  const auto image = image_from(line.factory_image);
  const Provisioned provisioned{
      .identity = make_identity(line.identity, line.flash_bytes, line.options.seed),
      .ca_pem = line.options.ca_pem,
      .key_list = line.key_list,
      .claim = line.claim,
      .server = line.options.server,
      .device_key = fresh_device_key(),
      .client_certificate = line.client.certificate_pem,
      .client_key = line.client.key_pem};
  // In memory first: a mistake must not cost the file that is there.
  auto rehearsal = VirtualFlash::in_memory(line.flash_bytes);
  provision(rehearsal, image, provisioned);
  auto flash = VirtualFlash::create_file(line.flash, line.flash_bytes);
  provision(flash, image, provisioned);
  if (!line.json) std::cout << to_text(inspect_device(flash));
  return exit_code::done;
}

void print_wear(const VirtualFlash& flash) {
  const auto erases = flash.erases_per_sector();
  std::uint64_t total = 0;
  std::uint32_t worst = 0;
  for (std::size_t first = 0; first < erases.size();) {
    std::size_t last = first;
    while (last + 1 < erases.size() && erases[last + 1] == erases[first]) ++last;
    total += std::uint64_t{erases[first]} * (last - first + 1);
    worst = std::max(worst, erases[first]);
    if (erases[first] != 0) {
      std::cout << fmt::format("0x{:06x}-0x{:06x}  {} erases of each sector\n",
                               first * VirtualFlash::sector_bytes,
                               (last + 1) * VirtualFlash::sector_bytes - 1,
                               erases[first]);
    }
    first = last + 1;
  }
  std::cout << fmt::format("{} erases in all, at most {} of one sector\n", total, worst);
}

void look(VirtualFlash& flash, const CommandLine& line) {
  if (line.info) {
    const DeviceInspection inspection = inspect_device(flash);
    std::cout << (line.json ? to_json(inspection) : to_text(inspection));
  }
  if (line.wear) print_wear(flash);
}

/// Nothing: the start itself says what is wrong.
std::optional<Provisioned> provisioned_in(VirtualFlash& flash) {
  const auto reading = otaria::device::read_layout(flash);
  return reading ? load_provisioned(flash, reading.layout.nvs) : std::nullopt;
}

/// Why this device cannot speak to this broker; empty: it can.
std::string objection_to_broker(VirtualFlash& flash, const CommandLine& line) {
  const auto provisioned = provisioned_in(flash);
  if (!provisioned) return "";
  const auto& identity = provisioned->identity;
  const bool plain = identity.development || identity.plain_http;
  const std::string& server =
      line.options.server.empty() ? provisioned->server : line.options.server;
  if (!plain && server.starts_with("http:")) {
    return "a production device asks https servers for its token: write --server https://HOST, or "
           "provision it with --plain-http";
  }
  if (line.options.broker.tls) {
    if (!line.options.ca_pem.empty() || !provisioned->ca_pem.empty()) return "";
    return "mqtts needs trust anchors: add --ca FILE here or at provisioning";
  }
  if (plain) return "";
  return "a production device speaks mqtts: write mqtts://HOST[:PORT], or provision it with "
         "--plain-http";
}

int run(VirtualFlash& flash, const CommandLine& line) {
  if (const std::string objection = objection_to_broker(flash, line); !objection.empty())
    return usage_error(objection);
  EventLog log{line.log, line.verbose};
  VirtualDevice device{flash, line.options, line.faults, log};
  std::signal(SIGTERM, [](int) { stop = true; });
  std::signal(SIGINT, [](int) { stop = true; });
  std::signal(SIGPIPE, SIG_IGN);
  switch (device.run(stop)) {
    case VirtualDevice::End::switched_off:
    case VirtualDevice::End::confirmed:
      return exit_code::done;
    case VirtualDevice::End::time_over:
      return line.options.exit_when_confirmed.empty() ? exit_code::done : exit_code::not_confirmed;
    case VirtualDevice::End::unusable:
      break;
  }
  return exit_code::unusable;
}

int carry_out(const CommandLine& line) {
  if (line.provision) {
    const int code = provision_file(line);
    if (code != exit_code::done) return code;
  }
  if (!line.run && !line.info && !line.wear) return exit_code::done;
  auto flash = VirtualFlash::open_file(line.flash);
  look(flash, line);
  return line.run ? run(flash, line) : exit_code::done;
}

}  // namespace

int main(int argc, char** argv) {
  try {
    const auto parsed = parse_command_line(argc, argv, std::cout, std::cerr);
    if (const int* code = std::get_if<int>(&parsed)) return *code;
    if (!otaria::device::init_crypto())
      throw std::runtime_error{"the crypto library cannot be initialised"};
    return carry_out(std::get<CommandLine>(parsed));
  } catch (const ProvisioningError& error) {
    return usage_error(error.what());
  } catch (const std::exception& error) {
    std::cerr << "otaria-device: " << error.what() << '\n';
    return exit_code::unusable;
  }
}
