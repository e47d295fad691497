#include <algorithm>

#include "device/agent/agent.hpp"
#include "device/status/sentence.hpp"

/// From the request to the written boot record.
namespace otaria::device {
namespace {

using contract::UpdateState;

constexpr std::uint32_t prefix_step_bytes = 16 * 1024;  // how much a power cut may cost
constexpr std::uint32_t scan_slice_bytes =
    8 * 1024;  // hashed per run(): a few milliseconds on the chip
constexpr std::uint32_t ranges_ignored_limit = 3;
constexpr std::uint32_t second_ms = 1000;

static_assert(prefix_step_bytes % Flash::sector_bytes == 0,
              "a resumed write starts with a sector to erase");

contract::Progress progress_of(std::uint32_t bytes, std::uint32_t total) {
  return {static_cast<std::uint32_t>(std::uint64_t{bytes} * 100 / total), bytes, total};
}

Error build_mismatch(std::span<const std::uint8_t, 8> found,
                     std::span<const std::uint8_t, 8> expected) {
  return {Fault::manifest_mismatch,
          build_figure(found, static_cast<std::uint8_t>(Member::build)),
          build_figure(expected)};
}

Error digest_mismatch(std::uint32_t bytes) {
  return {Fault::digest_mismatch, bytes, whole_file};
}

}  // namespace

// --- before the request
// ------------------------------------------------------------------------------------------

void Agent::prepare_download() {
  if (!is_proven()) {
    begin_judgement();
    return;
  }
  backoff_.reset();
  keys_asked_ = false;
  ranges_ignored_ = 0;
  refetch_first_sector_ = false;
  wrong_size_ = {};
  progress_at_ms_ = now();
  const Deployment& current = *ledger_.current();
  switch (current.phase) {
    case Phase::accepted:
      start_over();
      request();
      return;
    case Phase::downloading:
      start_scan(current.prefix, false);
      enter(Step::preparing);
      return;
    case Phase::writing_head:
      // The cut may have fallen into the last write: the first sector counts as undefined.
      refetch_first_sector_ = true;
      writer_.start(passive_slot().base, 0, std::min(current.total, Flash::sector_bytes));
      request();
      return;
    case Phase::verified:
    case Phase::installed:
      start_scan(current.total, true);
      enter(Step::rehashing);
      return;
  }
}

void Agent::start_over() {
  const std::uint32_t total = ledger_.current()->total;
  checker_.reset({chip::esp32s3, passive_slot().bytes});
  writer_.start(passive_slot().base, 0, total == 0 ? passive_slot().bytes : total);
}

void Agent::start_scan(std::uint32_t end, bool head_from_flash) {
  checker_.reset({chip::esp32s3, passive_slot().bytes});
  scan_at_ = 0;
  scan_end_ = end;
  scan_head_from_flash_ = head_from_flash;
  writer_.start(passive_slot().base, 0, 0);  // its block is the scratch memory of the scan
}

// Hashes the next slice of the passive slot; true at the end.
bool Agent::scan_slice() {
  const std::uint32_t slice_end = std::min(scan_end_, scan_at_ + scan_slice_bytes);
  while (scan_at_ < slice_end) {
    const auto block =
        writer_.scratch().first(std::min(SlotWriter::block_bytes, slice_end - scan_at_));
    if (!ok(ports_.flash.read(passive_slot().base + scan_at_, block))) return false;
    if (scan_at_ == 0 && !scan_head_from_flash_) {
      const auto& head = ledger_.current()->head;
      std::copy_n(head.begin(), std::min(head.size(), block.size()), block.begin());
    }
    checker_.update(block);
    scan_at_ += static_cast<std::uint32_t>(block.size());
  }
  return scan_at_ == scan_end_;
}

// What the journal calls the verified prefix must still be what lies in flash.
void Agent::finish_prefix_scan() {
  const Deployment& current = *ledger_.current();
  if (scan_end_ == current.total) {  // the first sector was fetched again: everything is there
    writer_.start(passive_slot().base, current.total, current.total);
    enter(Step::verifying);
    return;
  }
  const contract::Digest digest = checker_.file_digest();
  const bool intact =
      current.prefix > 0 && checker_.verdict().defect == ImageDefect::none &&
      std::equal(current.prefix_hash.begin(), current.prefix_hash.end(), digest.bytes.begin());
  if (intact) {
    writer_.start(passive_slot().base, current.prefix, current.total);
  } else {
    start_over();
  }
  request();
}

void Agent::request() {
  const Deployment& current = *ledger_.current();
  writer_.drop_partial();
  head_.clear();
  last_status_ = 0;
  request_offset_ = writer_.written();
  enter(Step::requesting);
  take_fetcher();
  ports_.fetcher.get({.url = current.notice.url.view(),
                      .offset = request_offset_,
                      .if_range = request_offset_ > 0 ? current.etag.view() : std::string_view{},
                      .bearer = token_for(current.notice.url.view())});
}

// What the manifest says is signed; the notice's size is a hint.
std::uint32_t Agent::announced_bytes() const {
  const Deployment& current = *ledger_.current();
  if (current.total != 0) return current.total;
  return current.manifest ? current.manifest->size : current.notice.size.value_or(0);
}

// The manifest names the build it is for: another image of the same release does not slip in.
Status Agent::check_build(const contract::Digest& elf_digest) const {
  const auto& manifest = ledger_.current()->manifest;
  const auto build = std::span{elf_digest.bytes}.first<8>();
  if (!manifest || std::ranges::equal(manifest->build, build)) return {};
  return build_mismatch(build, manifest->build);
}

Error Agent::transport_error() const {
  return {Fault::download_failed, last_status_, writer_.written()};
}

// Nothing: it was tried often, or long, enough.
std::optional<std::uint64_t> Agent::wait_before_retry(std::optional<std::uint32_t> retry_after_s) {
  std::uint64_t wait_ms = 0;
  const bool gave_a_time = retry_after_s && *retry_after_s > 0;
  if (gave_a_time) {
    // A busy server named a time: that is no failure, and nobody comes back in the same second.
    const std::uint32_t seconds = std::min(*retry_after_s, policy_.longest_retry_after_s);
    wait_ms = std::uint64_t{seconds} * second_ms + ports_.random.next() % second_ms;
  } else {
    wait_ms = backoff_.next(ports_.random);
  }
  const bool too_long = now() - progress_at_ms_ > policy_.veto_limit_s * std::uint64_t{second_ms};
  if (backoff_.failures() > policy_.retries_without_progress || too_long) return std::nullopt;
  return wait_ms;
}

void Agent::retry(Error error, std::optional<std::uint32_t> retry_after_s) {
  if (writer_.written() > request_offset_) backoff_.reset();
  const auto wait_ms = wait_before_retry(retry_after_s);
  if (!wait_ms) {
    finish_by_bytes(error);
    return;
  }
  enter(Step::backing_off);
  resume_at_ms_ = now() + *wait_ms;
}

// --- the response
// --------------------------------------------------------------------------------------------------

void Agent::on_http_header(std::string_view name, std::string_view value) {
  if (tokens_.owns_request()) return tokens_.on_header(name, value);
  if (step_ == Step::requesting || is_fetching_file()) head_.add(name, value);
}

void Agent::on_http_head(std::uint32_t status) {
  if (tokens_.owns_request()) return tokens_.on_head(status);
  if (is_fetching_file()) on_file_head(status);
  if (step_ != Step::requesting) return;
  last_status_ = status;
  const std::uint32_t known = announced_bytes();
  const ResponseJudgement judgement =
      judge_response(status, head_, {request_offset_, known, passive_slot().bytes});
  switch (judgement.verdict) {
    case ResponseVerdict::body:
    case ResponseVerdict::from_start:
      begin_body(judgement);
      return;
    case ResponseVerdict::retry:
      cancel_fetch();
      if (status == 416) start_over();
      retry(judgement.error, judgement.retry_after_s);
      return;
    case ResponseVerdict::expired_url:
      cancel_fetch();
      report_waiting();
      if (step_ != Step::halted) enter(Step::awaiting_url);
      return;
    case ResponseVerdict::give_up:
      finish_by_bytes(judgement.error);
      return;
  }
}

void Agent::begin_body(const ResponseJudgement& judgement) {
  if (judgement.verdict == ResponseVerdict::from_start) {
    if (++ranges_ignored_ > ranges_ignored_limit) {
      finish_by_bytes({Fault::range_ignored, ranges_ignored_});
      return;
    }
    start_over();
    request_offset_ = 0;
  }
  wrong_size_ = judgement.wrong_size ? judgement.error : Error{};
  enter(Step::streaming);
  if (refetch_first_sector_) return;
  ledger_.note_download(judgement.total);
  if (request_offset_ == 0) writer_.start(passive_slot().base, 0, judgement.total);
  if (!download_reported_) {
    download_reported_ = true;
    ledger_.note_resumed_at(writer_.written());
    mark(Mark::download_begun);
  }
  reporter_.progress(progress_of(writer_.written(), std::max(judgement.total, 1U)));
}

void Agent::on_http_body(std::span<const std::uint8_t> bytes) {
  if (tokens_.owns_request()) return tokens_.on_body(bytes);
  if (is_fetching_file()) on_file_body(bytes);
  if (step_ != Step::streaming) return;
  window_bytes_ += static_cast<std::uint32_t>(bytes.size());
  while (!bytes.empty() && step_ == Step::streaming) {
    const std::uint32_t taken = writer_.fill(bytes);
    bytes = bytes.subspan(taken);
    if (wrong_size_.fault != Fault::none) {
      if (writer_.block().size() >= image_head_bytes || writer_.ready()) judge_wrong_body();
      continue;
    }
    if (writer_.ready()) take_block();
    if (taken == 0 && step_ == Step::streaming) {
      finish_by_bytes({Fault::too_large,
                       writer_.end() + static_cast<std::int64_t>(bytes.size()),
                       writer_.end()});
    }
  }
}

// The size is wrong whatever it is; but if it is no image, that is the better thing to say.
void Agent::judge_wrong_body() {
  checker_.update(writer_.block());
  const ImageVerdict verdict = checker_.verdict();
  finish_by_bytes(verdict ? wrong_size_ : status_of(verdict).error());
}

// The first block holds all that an image is judged by: nothing is erased before that.
bool Agent::begin_first_block() {
  const std::span<const std::uint8_t> block = writer_.block();
  if (!checker_.update(block) || !checker_.has_head()) {
    const ImageVerdict verdict = checker_.verdict() ? checker_.finish() : checker_.verdict();
    finish(UpdateState::failed, status_of(verdict).error());
    return false;
  }
  const auto descriptor =
      read_app_descriptor(block.subspan(descriptor_offset).first<descriptor_bytes>());
  if (auto same = check_build(descriptor.app_elf_sha256); !same) {
    finish(UpdateState::failed, same.error());
    return false;
  }
  std::array<std::uint8_t, SlotWriter::held_bytes> head{};
  std::copy_n(block.begin(), head.size(), head.begin());
  // The record first, then the boot record, then the slot: a fallback must never meet a
  // half-written slot that some record still names.
  return ok(ledger_.begin_download(head, writer_.end(), head_.etag())) &&
         ok(records_->blank(passive())) && ok(ledger_.forget_slot(passive()));
}

void Agent::take_block() {
  const bool first = writer_.written() == 0;
  if (first && !refetch_first_sector_ && !begin_first_block()) return;
  if (auto done = writer_.flush(); !done) {
    finish(UpdateState::failed, done.error());
    return;
  }
  // A defect found here is told at the end, and only if the digest is the announced one: else that
  // is what is wrong.
  if (!refetch_first_sector_ && !first) checker_.update(writer_.block());
  writer_.advance();
  progress_at_ms_ = now();
  if (writer_.complete()) {
    download_complete();
    return;
  }
  if (refetch_first_sector_) return;
  const contract::Progress progress = progress_of(writer_.written(), writer_.end());
  reporter_.progress(progress);
  ports_.application.progress(UpdateState::downloading, progress);
  if (writer_.written() % prefix_step_bytes == 0) {
    const contract::Digest so_far = checker_.file_digest();
    ok(ledger_.set_prefix(writer_.written(), std::span{so_far.bytes}.first<8>()));
  }
}

void Agent::download_complete() {
  if (refetch_first_sector_) {
    cancel_fetch();  // the request had no end
    refetch_first_sector_ = false;
    start_scan(ledger_.current()->total, false);
    enter(Step::preparing);
    return;
  }
  reporter_.progress_ended();
  mark(Mark::download_done);
  if (step_ != Step::halted) enter(Step::verifying);
}

void Agent::on_http_end() {
  if (tokens_.owns_request()) return tokens_.on_end();
  // A body that ended as framed and yet too early: a server that changed its mind, or a proxy that
  // cut it.
  if (is_fetching_file()) {
    on_file_end();
  } else if (step_ == Step::streaming || step_ == Step::requesting) {
    retry(transport_error());
  }
}

// A pin that does not fit may be one that was changed: the newest key list says.
void Agent::on_http_failed(FetchFailure failure) {
  const bool pin = failure == FetchFailure::pin;
  if (tokens_.owns_request()) {
    tokens_.on_failed();
    if (pin) on_pin_failed(tokens_.server());
    return;
  }
  if (is_fetching_file()) {
    const bool manifest = file_ == File::manifest;
    if (!pin || !manifest || !ask_for_keys(Step::fetching_manifest)) retry_file();
  } else if (step_ == Step::streaming || step_ == Step::requesting) {
    if (!pin || !ask_for_keys(Step::requesting)) retry(transport_error());
  }
}

// --- proof and selection
// ----------------------------------------------------------------------------------------------

void Agent::verify() {
  const std::uint32_t total = ledger_.current()->total;
  mark(Mark::verifying, true);
  if (step_ == Step::halted) return;
  if (checker_.file_digest() != ledger_.current()->notice.digest) {
    finish(UpdateState::failed, digest_mismatch(total));
    return;
  }
  if (const ImageVerdict verdict = checker_.finish(); !verdict) {
    finish(UpdateState::failed, status_of(verdict).error());
    return;
  }
  if (!ok(ledger_.set_phase(Phase::writing_head))) return;
  if (auto done = writer_.write_head(ledger_.current()->head); !done) {
    finish(UpdateState::failed, done.error());
    return;
  }
  start_scan(total, true);
  enter(Step::rehashing);
}

void Agent::finish_rehash() {
  const Deployment& current = *ledger_.current();
  if (checker_.file_digest() != current.notice.digest) {
    finish(UpdateState::failed, digest_mismatch(current.total));
    return;
  }
  if (const ImageVerdict verdict = checker_.finish(); !verdict) {
    finish(UpdateState::failed, status_of(verdict).error());
    return;
  }
  SlotContent content;
  content.known = true;
  content.digest = current.notice.digest;
  content.version = current.notice.version;
  content.bytes = current.total;
  content.appended_hash = checker_.appended_digest().bytes;
  content.security_counter = current.manifest ? current.manifest->security_counter : 0;
  if (!ok(ledger_.set_slot(passive(), content))) return;
  if (current.phase < Phase::verified && !ok(ledger_.set_phase(Phase::verified))) return;
  enter(Step::selecting);
}

void Agent::select() {
  // Every way here passed the judgement; this is the last place where it counts.
  if (!is_proven()) {
    finish(UpdateState::failed, {Fault::manifest_required});
    return;
  }
  const bool again = ledger_.current()->phase == Phase::installed;
  if (auto done = records_->blank(passive()); !done) {
    finish(UpdateState::failed, done.error());
    return;
  }
  if (auto done = records_->select(passive()); !done) {
    finish(UpdateState::failed, done.error());
    return;
  }
  if (!again) {
    mark(Mark::installed);
    if (!ok(ledger_.set_phase(Phase::installed))) return;
  }
  enter(Step::installed);
}

}  // namespace otaria::device
