#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "device/agent/agent_events.hpp"
#include "device/agent/identity.hpp"
#include "device/agent/steps.hpp"
#include "device/download/backoff.hpp"
#include "device/download/response.hpp"
#include "device/download/slot_writer.hpp"
#include "device/identity/token_client.hpp"
#include "device/journal/journal.hpp"
#include "device/journal/ledger.hpp"
#include "device/keys/key_store.hpp"
#include "device/ports/broker_link.hpp"
#include "device/ports/clock.hpp"
#include "device/ports/fetcher.hpp"
#include "device/ports/flash.hpp"
#include "device/ports/system.hpp"
#include "device/slot/boot_records.hpp"
#include "device/slot/layout.hpp"
#include "device/status/reporter.hpp"
#include "device/verify/image_checker.hpp"
#include "device/verify/image_in_flash.hpp"
#include "device/verify/psa_primitives.hpp"
#include "device/verify/sha256.hpp"

namespace otaria::device {

/// Everything a platform gives; all of it outlives the agent.
struct Ports {
  Flash& flash;
  Clock& clock;
  Random& random;
  BrokerLink& broker;
  Fetcher& fetcher;
  System& system;
  Application& application;
  contract::SignatureVerifier&
      verifier;  ///< the crypto port: PsaVerifier, unless the board has better
  /// Where and by what the device gets its token for the broker; without a server it uses none.
  TokenAccess tokens = {};
};

/// The update agent: notices in, one honest story out, and a device that always boots a whole
/// image.
///
/// Use      construct, start() once per boot, then deliver events and call run() (AgentEvents). init_crypto() comes
///          before. After System::restart() was called the object is spent.
/// Memory   everything inside the object: agent_bytes, checked at compile time; about 4 KiB of stack; no heap.
/// Thread   one.
/// Source   docs/spec/agent.md, docs/spec/contract.md.
class Agent final : public AgentEvents {
 public:
  Agent(const Ports& ports, const Identity& identity, const Policy& policy = {});

  /// Reads partition table and journal, makes running slot, boot records and journal agree, and
  /// goes on with what a reset interrupted. May hash the running image (only when the journal does
  /// not know it).
  /// Errors  flash_failed, also for a partition table without the agent's partitions (`found` = LayoutDefect).
  Status start(const BootInfo& boot);

  void on_broker_connected() override;
  void on_broker_lost() override;
  void on_broker_refused() override;
  void on_message(std::span<const char> payload, std::uint32_t true_length) override;
  void on_published() override;
  void on_http_header(std::string_view name, std::string_view value) override;
  void on_http_head(std::uint32_t status) override;
  void on_http_body(std::span<const std::uint8_t> bytes) override;
  void on_http_end() override;
  void on_http_failed(FetchFailure failure) override;
  void on_keys_mentioned(std::uint32_t serial, std::string_view url) override;
  void on_pin_failed(std::string_view url) override;
  std::uint32_t run() override;

  [[nodiscard]] std::string_view running_version() const { return facts_.version.view(); }
  [[nodiscard]] const Facts& facts() const { return facts_; }
  [[nodiscard]] Step step() const { return step_; }
  [[nodiscard]] const TokenClient& tokens() const { return tokens_; }
  [[nodiscard]] const Ledger& ledger() const { return ledger_; }
  /// The key list in force, for its pins; nullptr: none. Valid until the next event or run().
  [[nodiscard]] contract::KeyRing* key_ring() { return keys_.ring(); }
  /// Unix seconds that have certainly passed (reference trust, section 9); 0: nothing is known.
  [[nodiscard]] std::uint32_t time_floor() const;
  /// Set when journal or flash failed: nothing is updated until the next start.
  [[nodiscard]] const Error& fatal() const { return fatal_; }

 private:
  static constexpr std::uint32_t long_ms = 60000;  ///< nothing to do: look again then at the latest

  // Start (agent_start.cpp)
  Status find_partitions();
  Status identify_running();
  Status describe_unknown_image(const ImageIdentity& found);
  Status read_build();
  Status open_keys(contract::FileSource* provisioned);
  void reconcile();
  bool runs_unfinished_update() const;
  void begin_trial();
  void end_after_return(bool bootloader_refused_it);
  Error cause_of_return(bool bootloader_refused_it) const;

  // Notices (agent_notice.cpp)
  void withdraw();
  void offer(const contract::Notice& notice, std::uint32_t defect);
  void repeat(const contract::Notice& notice);
  void refuse(const contract::Notice& notice, Error error, contract::UpdateState state);
  void begin_accepted();
  void take_parked_notice();

  // Manifests and key lists (agent_trust.cpp)
  enum class File : std::uint8_t { manifest, newest_keys, next_keys };
  [[nodiscard]] bool needs_manifest(const contract::Notice& notice) const;
  [[nodiscard]] bool is_proven() const;
  void begin_judgement();
  void run_judging();
  void judge_manifest();
  void judge_content(contract::ByteSource& payload);
  [[nodiscard]] bool is_fetching_file() const;
  [[nodiscard]] bool is_refreshing_keys() const;
  void fetch(File file);
  std::uint32_t run_fetching();
  void ask_for_file();
  void on_file_head(std::uint32_t status);
  void on_file_body(std::span<const std::uint8_t> bytes);
  void on_file_end();
  [[nodiscard]] Error too_long() const;
  void retry_file(std::optional<std::uint32_t> retry_after_s = {});
  void file_unavailable(Error error);
  void want_keys(std::string_view url, std::uint64_t earliest_ms);
  void want_keys_at_times(std::string_view url);
  void renew_expired_keys();
  [[nodiscard]] std::string_view key_server() const;
  [[nodiscard]] bool may_fetch_wanted_keys() const;
  std::uint32_t fetch_wanted_keys();
  [[nodiscard]] bool has_left_its_wait() const;
  void resume_wait();
  bool ask_for_keys(Step afterwards);
  void begin_fetching_keys(Step afterwards);
  void take_key_list();
  void go_on_after_keys();
  void learn_keys();
  void learn_counters();
  void watch_clock();

  // Download (agent_download.cpp)
  void prepare_download();
  void start_over();
  void request();
  void retry(Error error, std::optional<std::uint32_t> retry_after_s = {});
  std::optional<std::uint64_t> wait_before_retry(std::optional<std::uint32_t> retry_after_s);
  void begin_body(const ResponseJudgement& judgement);
  bool begin_first_block();
  [[nodiscard]] Status check_build(const contract::Digest& elf_digest) const;
  void take_block();
  void judge_wrong_body();
  void download_complete();
  void start_scan(std::uint32_t end, bool head_from_flash);
  bool scan_slice();
  void finish_prefix_scan();
  void verify();
  void finish_rehash();
  void select();
  [[nodiscard]] Error transport_error() const;
  [[nodiscard]] std::uint32_t announced_bytes() const;

  // The token for the broker (agent_token.cpp)
  std::uint32_t run_tokens();
  void learn_grant(const TokenGrant& grant);
  void adopt_assigned_id();
  [[nodiscard]] bool fetcher_is_busy() const;
  void take_fetcher();
  void cancel_fetch();
  void rejoin_when_quiet();
  [[nodiscard]] std::string_view token_for(std::string_view url) const;
  [[nodiscard]] bool lacks_token() const { return tokens_.is_used() && tokens_.token().empty(); }

  // Driving (agent.cpp)
  void enter(Step step);
  std::uint32_t run_step();
  std::uint32_t run_delaying();
  std::uint32_t run_awaiting();
  std::uint32_t run_transfer();
  std::uint32_t run_installed();
  std::uint32_t run_leaving();
  std::uint32_t run_trial();
  void confirm();
  void fail_trial(Error error);
  void go_back();
  void keep_connected();
  void account_connected_time();
  void finish(contract::UpdateState state, Error error);
  void finish_by_bytes(Error error);
  void report_waiting();
  [[nodiscard]] std::uint32_t bytes_in_hand() const;
  void mark(Mark mark, bool durable = false);
  bool ok(Status status);
  [[nodiscard]] std::uint64_t now() const { return ports_.clock.monotonic_ms(); }
  [[nodiscard]] std::uint32_t until(std::uint64_t time) const;
  [[nodiscard]] std::uint32_t passive() const { return 1 - facts_.slot; }
  [[nodiscard]] const Region& passive_slot() const { return slots_[passive()]; }

  Ports ports_;
  Identity identity_;
  Policy policy_;
  Facts facts_;
  std::array<std::uint8_t, contract::max_packet_bytes> message_{};
  Journal journal_;
  Ledger ledger_;
  Reporter reporter_;
  std::optional<BootRecords> records_;
  std::array<Region, Ledger::slots> slots_{};

  Step step_ = Step::idle;
  bool parked_ =
      false;  ///< a notice came when it could not be judged; asked for again after the final state
  bool link_open_ = false;  ///< connecting or connected
  bool renewed_ = false;    ///< a fresh token waits to be shown to the broker
  bool scan_head_from_flash_ = false;
  bool download_reported_ = false;  ///< `downloading` was entered since the last start or wait
  bool refetch_first_sector_ = false;
  std::uint64_t step_entered_ms_ = 0;
  Error fatal_;

  // Trust
  PsaHasher hasher_;
  KeyStore keys_;
  Region keys_region_;
  contract::Digest build_;        ///< app_elf_sha256 of the running image
  std::uint32_t build_time_ = 0;  ///< of the running image, Unix seconds; a part of the time floor
  std::uint32_t file_bytes_ = 0;  ///< length that was announced; 0: none
  std::uint32_t newest_serial_ = 0;  ///< of the list that the ones between lead to; 0: none
  std::uint32_t lists_between_ = 0;  ///< fetched in this session
  std::uint64_t keys_wanted_from_ms_ = 0;
  std::uint64_t keys_paused_until_ms_ = 0;  ///< Policy::keys_pause_ms
  std::uint64_t wait_entered_ms_ = 0;       ///< of the step that was left to fetch keys
  std::uint64_t wait_connected_ms_ = 0;
  contract::Url keys_origin_;   ///< where key lists are fetched
  File file_ = File::manifest;  ///< the one being fetched or judged
  bool file_asked_ = false;     ///< the request was made
  bool file_answered_ = false;  ///< its head was right
  bool keys_wanted_ = false;    ///< as soon as a step that waits allows it
  bool keys_asked_ = false;     ///< in this judgement or download
  Step after_keys_ = Step::idle;

 public:
  /// What verification adds to the agent's memory: all of the above, and what the ledger keeps of
  /// manifests, key lists and floors.
  static constexpr std::size_t verification_bytes =
      sizeof(hasher_) + sizeof(keys_) + sizeof(keys_region_) + sizeof(build_) +
      sizeof(build_time_) + sizeof(file_) + sizeof(file_asked_) + sizeof(file_answered_) +
      sizeof(file_bytes_) + sizeof(keys_origin_) + sizeof(keys_wanted_) +
      sizeof(keys_wanted_from_ms_) + sizeof(keys_paused_until_ms_) + sizeof(wait_entered_ms_) +
      sizeof(wait_connected_ms_) + sizeof(keys_asked_) + sizeof(after_keys_) +
      sizeof(newest_serial_) + sizeof(lists_between_) + Ledger::verification_bytes;

 private:
  // Broker
  Backoff reconnect_;
  std::uint64_t reconnect_at_ms_ = 0;
  std::uint64_t connected_ms_ = 0;  ///< connected time within the present step
  std::uint64_t accounted_ms_ = 0;

  // Token
  TokenClient tokens_;

  // Download
  SlotWriter writer_;
  ImageChecker checker_;
  ResponseHead head_;
  Backoff backoff_;
  std::uint64_t resume_at_ms_ = 0;    ///< end of a wait
  std::uint64_t progress_at_ms_ = 0;  ///< last time a block was written
  std::uint64_t window_started_ms_ = 0;
  std::uint32_t window_bytes_ = 0;
  std::uint32_t request_offset_ = 0;
  std::uint32_t last_status_ = 0;
  std::uint32_t ranges_ignored_ = 0;
  std::uint32_t scan_at_ = 0;
  std::uint32_t scan_end_ = 0;
  Error wrong_size_;
};

inline constexpr std::size_t agent_bytes = sizeof(Agent);
static_assert(agent_bytes - Agent::verification_bytes <= 6144,
              "the agent's static memory, transfer and message buffers included");
static_assert(Agent::verification_bytes <= 4096, "what verification adds to it");

}  // namespace otaria::device
