#include "server/audit/checkpoint_keeper.hpp"

#include <fcntl.h>
#include <spdlog/spdlog.h>
#include <sys/stat.h>
#include <syslog.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <fstream>
#include <iterator>
#include <stdexcept>

namespace otaria::server {
namespace {

namespace fs = std::filesystem;

void write_public_half(const fs::path& path, const std::string& pem) {
  std::ofstream file{path, std::ios::trunc};
  file << pem;
  file.close();
  if (!file) throw crypto::CryptoError{"cannot write " + path.string()};
}

std::string read_all(int descriptor, const fs::path& path) {
  std::string text;
  char piece[4096];
  off_t offset = 0;
  for (;;) {
    const ssize_t got = pread(descriptor, piece, sizeof piece, offset);
    if (got < 0)
      throw std::runtime_error{"cannot read " + path.string() + ": " + std::strerror(errno)};
    if (got == 0) return text;
    text.append(piece, static_cast<std::size_t>(got));
    offset += got;
  }
}

}  // namespace

crypto::PrivateKey audit_key(const fs::path& key_folder) {
  fs::create_directories(key_folder);
  fs::permissions(key_folder, fs::perms::owner_all);
  const fs::path file = key_folder / "audit.pem";
  const fs::path public_file = key_folder / "audit.pub.pem";
  if (!fs::exists(file)) {
    const auto made = crypto::PrivateKey::generate(crypto::Algorithm::es256);
    crypto::write_secret_file(file, made.pem());
    write_public_half(public_file, made.public_key().pem());
    spdlog::info("audit key {} made; verify checkpoints with a copy of {}",
                 made.public_key().key_id(),
                 public_file.string());
  }
  auto key = crypto::PrivateKey::from_file(file);
  if (!fs::exists(public_file)) write_public_half(public_file, key.public_key().pem());
  return key;
}

CheckpointKeeper::CheckpointKeeper(Store& store,
                                   crypto::PrivateKey key,
                                   const fs::path& file,
                                   bool to_syslog)
    : store_{store}, key_{std::move(key)}, file_{file}, to_syslog_{to_syslog} {
  descriptor_ = open(file_.c_str(), O_RDWR | O_APPEND | O_CREAT | O_CLOEXEC, 0640);
  if (descriptor_ < 0) {
    throw std::runtime_error{"cannot append to the audit checkpoints " + file_.string() + ": " +
                             std::strerror(errno)};
  }
  try {
    take_up_file();
    compare_with_log();
  } catch (...) {
    close(descriptor_);
    throw;
  }
}

CheckpointKeeper::~CheckpointKeeper() {
  close(descriptor_);
}

/// Goes on behind the newest checkpoint of the file.
void CheckpointKeeper::take_up_file() {
  std::string text = read_all(descriptor_, file_);
  const std::size_t whole = text.rfind('\n') + 1;  // 0 when there is no line feed
  if (whole != text.size()) {
    spdlog::warn("{} ends with a torn line: cut off", file_.string());
    if (ftruncate(descriptor_, static_cast<off_t>(whole)) != 0) {
      throw std::runtime_error{"cannot mend " + file_.string() + ": " + std::strerror(errno)};
    }
    text.resize(whole);
  }
  if (text.empty()) return;
  const std::size_t before = text.rfind('\n', text.size() - 2);
  const std::size_t start = before == std::string::npos ? 0 : before + 1;
  std::string why;
  const auto newest = contract::checkpoint_from(
      std::string_view{text}.substr(start, text.size() - 1 - start), key_.public_key(), why);
  if (!newest) {
    throw std::runtime_error{
        "the newest audit checkpoint in " + file_.string() + " " + why +
        ": move the file away and keep it; a new one begins with the first row"};
  }
  newest_ = *newest;
  identity_ = newest_.identity();
}

/// A log that is not the one that was signed is somebody's doing, or a restored backup: say so.
void CheckpointKeeper::compare_with_log() {
  if (newest_.last == 0) return;
  std::string hash;
  store_.read([&](StoreView& view) {
    const auto rows = view.audit_rows({.oldest_first = true},
                                      {.after = std::to_string(newest_.last - 1), .limit = 1});
    if (!rows.empty() && rows[0].seq == newest_.last) hash = rows[0].hash;
  });
  if (hash == newest_.hash) return;
  spdlog::error(
      "the audit log does not hold row {} as it was signed: it was changed, or the database is an "
      "older one than {}. Compare them: otaria audit verify --checkpoints",
      newest_.last,
      file_.string());
}

void CheckpointKeeper::tick(std::int64_t now) {
  std::optional<contract::AuditRow> head;
  store_.read([&](StoreView& view) { head = view.audit_head(); });
  if (!head || head->seq <= newest_.last) {
    waiting_since_ = 0;
    return;
  }
  if (waiting_since_ == 0 || now < waiting_since_) waiting_since_ = now;
  if (head->seq - newest_.last >= most_rows || now - waiting_since_ >= most_seconds) {
    append(*head, now);
  }
}

void CheckpointKeeper::finish(std::int64_t now) {
  std::optional<contract::AuditRow> head;
  store_.read([&](StoreView& view) { head = view.audit_head(); });
  if (head && head->seq > newest_.last) append(*head, now);
}

void CheckpointKeeper::append(const contract::AuditRow& head, std::int64_t now) {
  const contract::Checkpoint checkpoint{newest_.last + 1, head.seq, head.hash, now, identity_};
  const std::string line = contract::signed_checkpoint(checkpoint, key_);
  const off_t end = lseek(descriptor_, 0, SEEK_END);
  const std::string whole = line + "\n";
  const ssize_t written = write(descriptor_, whole.data(), whole.size());
  if (written != static_cast<ssize_t>(whole.size()) || fdatasync(descriptor_) != 0) {
    spdlog::error("an audit checkpoint cannot be appended to {}: {}; trying again",
                  file_.string(),
                  written < 0 ? std::strerror(errno) : "the disk is full");
    // What stands there in part would make the next line unreadable. A file that only appends
    // refuses this; the next start then names the torn line.
    if (written > 0 && end >= 0 && ftruncate(descriptor_, end) != 0) {
      spdlog::error("{} keeps a torn line", file_.string());
    }
    return;
  }
  newest_ = checkpoint;
  identity_ = checkpoint.identity();
  waiting_since_ = 0;
  if (to_syslog_) syslog(LOG_AUTHPRIV | LOG_NOTICE, "otaria audit checkpoint %s", line.c_str());
}

}  // namespace otaria::server
