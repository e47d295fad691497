// Bodies: collected in memory while small, written to an unnamed file by the worker pool when not.
#include <fcntl.h>
#include <spdlog/spdlog.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include "server/http/event_loop.hpp"
#include "server/http/session.hpp"

namespace otaria::server {
namespace {

constexpr std::size_t read_size = std::size_t{64} * 1024;

class CollectingSink final : public BodySink {
 public:
  explicit CollectingSink(std::uint64_t limit) : limit_(limit) {}
  bool append(std::string_view bytes) override {
    total_ += bytes.size();
    if (total_ > limit_) return false;
    held.append(bytes);
    return true;
  }
  std::string held;

 private:
  std::uint64_t limit_;
  std::uint64_t total_ = 0;
};

/// A file without a name; -1 with errno.
int open_unnamed(const std::filesystem::path& directory) {
  const int descriptor = ::open(directory.c_str(), O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
  if (descriptor >= 0 || errno != EOPNOTSUPP) return descriptor;
  std::string name = directory / ".upload-XXXXXX";  // a file system without O_TMPFILE
  const int named = ::mkostemp(name.data(), O_CLOEXEC);
  if (named >= 0) ::unlink(name.c_str());
  return named;
}

/// 0 or errno.
int write_whole(int descriptor, std::string_view bytes, std::uint64_t offset) {
  while (!bytes.empty()) {
    const ssize_t count =
        ::pwrite(descriptor, bytes.data(), bytes.size(), static_cast<off_t>(offset));
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return errno;
    bytes.remove_prefix(static_cast<std::size_t>(count));
    offset += static_cast<std::uint64_t>(count);
  }
  return 0;
}

}  // namespace

/// A body on its way to disk.
struct Session::SpoolFile {
  int descriptor = -1;
  std::uint64_t size = 0;

  SpoolFile() = default;
  SpoolFile(const SpoolFile&) = delete;
  SpoolFile& operator=(const SpoolFile&) = delete;
  ~SpoolFile() {
    if (descriptor >= 0) ::close(descriptor);
  }
};

/// Appends `bytes` to the file, opened with the first of them, and clears them. 0 or a status.
asio::awaitable<int> Session::spool(SpoolFile& file, std::string& bytes) {
  const int error = co_await run_on(*shared_.workers, [&]() -> int {
    if (file.descriptor < 0) file.descriptor = open_unnamed(shared_.config.spool_directory);
    if (file.descriptor < 0) return errno;
    return write_whole(file.descriptor, bytes, file.size);
  });
  file.size += bytes.size();
  bytes.clear();
  if (error == 0) co_return 0;
  spdlog::error("cannot keep an upload in {}: {}",
                shared_.config.spool_directory.string(),
                std::strerror(error));
  co_return error == ENOSPC || error == EDQUOT ? 507 : 500;
}

/// Reads the body behind the head at the start of the buffer. 0, or the status to refuse with; a
/// peer that left or stalled is `broken_`.
asio::awaitable<int> Session::read_body(std::size_t head_size,
                                        std::uint64_t limit,
                                        Request& request) {
  Head head;  // the shared scratch does not outlast a suspension
  CollectingSink sink(limit);
  RequestParser parser(head, &sink);
  error_code error;
  const std::size_t used = parser.parse(buffer_.view(), error);
  const auto failed = [&] { return error && error != beast::http::error::need_more; };
  if (failed()) co_return parser.failure_status();
  if (head.expects_continue && buffer_.view().size() == head_size && !parser.is_done()) {
    if (!co_await send_all("HTTP/1.1 100 Continue\r\n\r\n")) co_return 0;
  }
  std::string pending(buffer_.view().substr(used));  // a chunk header in parts, or the next request
  buffer_.consume(buffer_.view().size());

  Place upload;
  SpoolFile file;
  expect(Waiting::body);
  while (!parser.is_done()) {
    const std::size_t kept = pending.size();
    if (kept >= read_size) co_return 400;  // a chunk header this long is no chunk header
    std::size_t wanted = read_size - kept;
    if (const auto left = parser.content_length_remaining()) {
      wanted = static_cast<std::size_t>(std::min<std::uint64_t>(wanted, *left));
    }
    pending.resize(kept + wanted);
    const auto [read_error, count] =
        co_await read_some(std::span<char>(pending.data() + kept, wanted));
    if (read_error) {
      broken_ = true;
      co_return timed_out_ ? 408 : 0;
    }
    pending.resize(kept + count);
    received_ += count;
    pending.erase(0, parser.parse(pending, error));
    if (failed()) co_return parser.failure_status();
    const bool last_of_file = file.size > 0 && !sink.held.empty() && parser.is_done();
    if (sink.held.size() > shared_.config.max_buffered_body || last_of_file) {
      if (!upload) upload = Place::take(shared_.active_uploads, shared_.config.max_uploads);
      if (!upload) co_return 503;
      expect(Waiting::nothing);
      if (const int status = co_await spool(file, sink.held)) co_return status;
      expect(Waiting::body);
    }
  }
  expect(Waiting::nothing);
  buffer_.assign(pending);
  if (file.size > 0) {
    request.body_file = std::make_shared<OpenFile>(std::exchange(file.descriptor, -1), file.size);
  } else {
    request.body = std::move(sink.held);
  }
  co_return 0;
}

}  // namespace otaria::server
