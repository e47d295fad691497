#include "device/agent/testing/bench_device.hpp"

#include <algorithm>
#include <array>

#include "device/bootloader/selection.hpp"
#include "device/verify/image_in_flash.hpp"

namespace otaria::device::testing {
namespace {

const bool crypto_ready = static_cast<bool>(init_crypto());

constexpr std::uint64_t most_ticks = 2000000;

}  // namespace

void BenchServer::get(const Request& request) {
  asked.push_back({std::string{request.url},
                   request.offset,
                   std::string{request.if_range},
                   clock->ms,
                   request.without_pins,
                   std::string{request.body},
                   std::string{request.bearer}});
  body.reset();
  opening.emplace();
  BenchOpening& answer = *opening;
  if (!reachable || unreachable_urls.contains(std::string{request.url})) {
    answer.fails = FetchFailure::unreachable;
    return;
  }
  if (wrong_pin && !request.without_pins) {
    answer.fails = FetchFailure::pin;
    return;
  }
  if (!answers.empty()) {
    answer.status = answers.front().first;
    if (!answers.front().second.empty())
      answer.headers.emplace_back("Retry-After", answers.front().second);
    answer.headers.emplace_back("Content-Length", "0");
    answers.pop_front();
    return;
  }
  if (!request.content_type.empty()) {
    auto [status, text] = posts ? posts(std::string{request.url}) : std::pair{404, std::string{}};
    answer.status = status;
    answer.headers.emplace_back("Content-Length", std::to_string(text.size()));
    answer.body.bytes.assign(text.begin(), text.end());
    return;
  }
  const auto file = files.find(std::string{request.url});
  if (file == files.end()) {
    answer.status = 404;
    return;
  }
  const auto& bytes = file->second.bytes;
  const bool condition_holds = request.if_range.empty() || request.if_range == file->second.etag;
  const bool ranged = request.offset > 0 && condition_holds && !ignore_range;
  if (ranged && request.offset >= bytes.size()) {
    answer.status = 416;
    return;
  }
  const std::uint32_t from = ranged ? request.offset : 0;
  answer.status = ranged ? 206 : 200;
  answer.headers.emplace_back("ETag", file->second.etag);
  if (!no_length)
    answer.headers.emplace_back("content-length", std::to_string(bytes.size() - from));
  if (ranged) {
    const std::uint32_t said = wrong_content_range ? from + 1 : from;
    answer.headers.emplace_back("Content-Range",
                                "bytes " + std::to_string(said) + "-" +
                                    std::to_string(bytes.size() - 1) + "/" +
                                    std::to_string(bytes.size()));
  }
  answer.body.bytes.assign(bytes.begin() + from, bytes.end());
  answer.body.break_at = break_after;
  if (!break_always) break_after.reset();
}

bool BenchServer::step(AgentEvents& agent) {
  if (opening) {
    BenchOpening answer = std::move(*opening);
    opening.reset();
    if (answer.fails) {
      agent.on_http_failed(*answer.fails);
      return true;
    }
    body = std::move(answer.body);
    for (const auto& [name, value] : answer.headers) agent.on_http_header(name, value);
    agent.on_http_head(static_cast<std::uint32_t>(answer.status));
    return true;
  }
  if (!body || stalls || (silent_after && body->at >= *silent_after)) return false;
  std::size_t end = std::min<std::size_t>(body->at + piece, body->bytes.size());
  if (body->break_at) end = std::min<std::size_t>(end, *body->break_at);
  if (silent_after) end = std::min<std::size_t>(end, *silent_after);
  const std::vector<std::uint8_t> bytes(body->bytes.begin() + static_cast<std::ptrdiff_t>(body->at),
                                        body->bytes.begin() + static_cast<std::ptrdiff_t>(end));
  const bool broken = body->break_at && end == *body->break_at;
  const bool complete = end == body->bytes.size();
  body->at = end;
  served += bytes.size();
  if (!bytes.empty()) agent.on_http_body(bytes);
  if (!body) return true;  // cancelled meanwhile
  if (broken) {
    body.reset();
    agent.on_http_failed(FetchFailure::broken);
  } else if (complete) {
    body.reset();
    agent.on_http_end();
  }
  return true;
}

BenchOptions production(std::string key_list) {
  return {.development = false, .key_list = std::move(key_list)};
}

BenchDevice::BenchDevice(const BenchOptions& options)
    : policy{options.policy}, key_list{options.key_list}, token_server{options.server} {
  if (!token_server.empty()) {
    if (!init_crypto()) throw std::runtime_error{"no cryptography"};
    device_key = std::make_unique<PsaDeviceKey>(PsaDeviceKey::generate().value());
  }
  broker.clock = &clock;
  server.clock = &clock;
  identity.id.assign("sensor_A1B2");
  identity.mac.assign("a4cf12e0a1b2");
  identity.product.assign("sensor");
  identity.hardware.assign("esp32s3-8mb");
  identity.channel.assign("stable");
  identity.development = options.development;

  const auto partition = [](std::uint8_t type,
                            std::uint8_t subtype,
                            std::uint32_t offset,
                            std::uint32_t bytes,
                            std::string_view label) {
    Partition entry;
    entry.type = type;
    entry.subtype = subtype;
    entry.offset = offset;
    entry.bytes = bytes;
    entry.label.assign(label);
    return entry;
  };
  const std::array table{
      partition(partition_type::data, partition_subtype::nvs, 0x9000, 0x5000, "nvs"),
      partition(partition_type::data, partition_subtype::otadata, 0xE000, 0x2000, "otadata"),
      partition(
          partition_type::app, partition_subtype::ota_0, slot_address[0], slot_bytes, "ota_0"),
      partition(
          partition_type::app, partition_subtype::ota_0 + 1, slot_address[1], slot_bytes, "ota_1"),
      partition(partition_type::otaria,
                partition_subtype::otaria_journal,
                journal_address,
                0x8000,
                "otaria"),
      partition(partition_type::otaria,
                partition_subtype::otaria_keys,
                keys_address,
                0x8000,
                "otaria_keys"),
  };
  std::array<std::uint8_t, table_bytes> bytes{};
  if (!write_partition_table(table, bytes)) std::abort();
  std::ranges::copy(bytes, flash.cells().begin() + default_table_offset);
  const auto factory = image(options.version);
  std::ranges::copy(factory, flash.cells().begin() + slot_address[0]);

  std::array<std::uint8_t, Journal::work_bytes> work{};
  Journal journal{flash, journal_address, 0x8000, work};
  Ledger ledger{journal};
  if (!ledger.open(7)) std::abort();
  SlotContent content;
  content.known = content.confirmed = true;
  content.digest = sha256_of(factory);
  content.version.assign(options.version);
  content.bytes = static_cast<std::uint32_t>(factory.size());
  std::copy(factory.end() - 32, factory.end(), content.appended_hash.begin());
  if (!ledger.set_slot(0, content)) std::abort();
  boot();
}

bool BenchDevice::slot_boots(std::uint32_t index) {
  ImageChecker checker{{chip::esp32s3, slot_bytes}};
  return static_cast<bool>(check_image_in_flash(flash, slot_address[index], slot_bytes, checker));
}

std::optional<std::uint32_t> BenchDevice::run_bootloader() {
  constexpr std::uint32_t otadata = 0xE000;
  BootSetup setup;
  const auto records = read_boot_records(flash, otadata);
  if (!records) return std::nullopt;
  setup.records = records.value();
  const BootDecision decision = choose_boot(
      setup, [this](int index) { return slot_boots(static_cast<std::uint32_t>(index)); });
  for (const BootRecordWrite& write : decision.writes()) {
    if (!write_boot_record(flash, otadata, write)) return std::nullopt;  // the power went
  }
  if (decision.index < 0) {
    bricked = true;
    return std::nullopt;
  }
  return static_cast<std::uint32_t>(decision.index);
}

std::string BenchDevice::version_in(std::uint32_t slot) {
  std::array<std::uint8_t, 32> version{};
  if (!flash.read(slot_address[slot] + 0x20 + 16, version)) return {};
  const auto end = std::ranges::find(version, std::uint8_t{0});
  return {version.begin(), end};
}

void BenchDevice::boot(ResetReason reason) {
  for (int tries = 0; tries < 10; ++tries) {
    ++boots;
    agent.reset();
    broker.drop_quietly();
    server.cancel();
    system.wanted = false;
    clock.ms += 300;
    const auto slot = run_bootloader();
    if (!slot) {
      if (bricked) return;
      if (flash.powered()) continue;
      return;  // cut within the bootloader: the test powers it on
    }
    booted.push_back(version_in(*slot));
    if (crashes_on_boot.contains(booted.back())) {
      reason = ResetReason::panic;
      continue;
    }
    agent = std::make_unique<Agent>(Ports{flash,
                                          clock,
                                          random,
                                          broker,
                                          server,
                                          system,
                                          application,
                                          verifier,
                                          {device_key.get(), token_server, {}}},
                                    identity,
                                    policy);
    contract::MemoryFile provisioned{key_list};
    if (agent->start({*slot, reason, key_list.empty() ? nullptr : &provisioned})) return;
    if (!flash.powered()) return;
  }
}

void BenchDevice::cut_power() {
  flash.power_on();
  boot(ResetReason::power_on);
}

void BenchDevice::tick() {
  if (system.wanted) {
    boot(ResetReason::software);
    return;
  }
  const bool in_trial = agent->step() == Step::on_trial;
  broker.cut_off = in_trial && unreachable_in_trial.contains(running());
  bool transferring = false;
  if (!broker.events.empty()) {
    const auto event = std::move(broker.events.front());
    broker.events.pop_front();
    event(*agent);
  } else if (server.step(*agent)) {
    clock.ms += 1;
    transferring = true;
  }
  if (system.wanted) return;
  const std::uint32_t wants = agent->run();
  if (broker.events.empty() && wants > 0 && !transferring && !system.wanted)
    clock.ms += std::min<std::uint32_t>(wants, 100);
}

void BenchDevice::run_for(std::uint64_t ms) {
  const std::uint64_t end = clock.ms + ms;
  for (std::uint64_t i = 0;
       i < most_ticks && clock.ms < end && agent && flash.powered() && !bricked;
       ++i)
    tick();
}

bool BenchDevice::run_until(const std::function<bool()>& condition, std::uint64_t ms) {
  const std::uint64_t end = clock.ms + ms;
  for (std::uint64_t i = 0;
       i < most_ticks && clock.ms < end && agent && flash.powered() && !bricked;
       ++i) {
    if (condition()) return true;
    tick();
  }
  return condition();
}

std::string BenchDevice::notice(const std::string& version,
                                const std::string& url,
                                const std::string& digest,
                                const std::string& extra_members) {
  return R"({"version":")" + version + R"(","url":")" + url + R"(","signature":")" + digest + "\"" +
         (extra_members.empty() ? "" : "," + extra_members) + "}";
}

std::string BenchDevice::publish(const std::string& version,
                                 const std::vector<std::uint8_t>& image,
                                 const std::string& extra_members) {
  const std::string digest = hex(sha256_of(image));
  const std::string url = std::string{origin} + "/firmware/" + digest.substr(0, 16) + ".bin";
  server.files[url] = {image, "\"" + digest + "\""};
  return notice(version, url, digest, extra_members);
}

std::string BenchDevice::publish_signed(const std::string& version,
                                        const std::vector<std::uint8_t>& image,
                                        const std::string& manifest,
                                        const std::string& extra_members,
                                        const std::string& release) {
  const std::string path = "/manifests/" + release + ".jws";
  put_file(path, manifest);
  return publish(version,
                 image,
                 R"("manifest":")" + (origin + path) + "\"" +
                     (extra_members.empty() ? "" : "," + extra_members));
}

void BenchDevice::put_file(const std::string& path, const std::string& text) {
  server.files[origin + path] = {{text.begin(), text.end()}, "\"f\""};
}

std::vector<contract::HostStatus> BenchDevice::statuses(const std::string& update) const {
  std::vector<contract::HostStatus> all;
  for (const Sent& message : broker.sent) {
    if (message.topic != "status") continue;
    const auto status = contract::decode_status(message.payload);
    if (!status) std::abort();  // the agent wrote what the contract does not allow
    if (update.empty() || status.value->update == update) all.push_back(*status.value);
  }
  return all;
}

std::vector<std::string> BenchDevice::states(const std::string& update) const {
  std::vector<std::string> names;
  for (const auto& status : statuses(update)) {
    const std::string name{contract::name_of(status.state)};
    if (names.empty() || names.back() != name || name != "downloading") names.push_back(name);
  }
  return names;
}

std::vector<contract::HostState> BenchDevice::device_states() const {
  std::vector<contract::HostState> all;
  for (const Sent& message : broker.sent) {
    if (message.topic != "state") continue;
    const auto state = contract::decode_state(message.payload);
    if (!state) std::abort();
    all.push_back(*state.value);
  }
  return all;
}

}  // namespace otaria::device::testing
