#pragma once

#include <openssl/types.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "server/http/server.hpp"

namespace otaria::server {

/// One TLS connection, the server's end, on a non-blocking socket that it does not own. No waiting
/// in here: a step that cannot go on says what to wait for, and is then repeated with the same
/// bytes (at whatever address).
///
/// Threads  one at a time, with SIGPIPE blocked.
/// Memory   about 15 KiB while idle; 17 KiB more for each direction in which a record is under way.
class TlsStream {
 public:
  enum class Step { done, wait_read, wait_write, ended, failed };
  /// What one record carries at most; write() takes no more in one step.
  static constexpr std::size_t record_bytes = 16'384;

  explicit TlsStream(SSL* owned) : ssl_{owned} {}

  Step handshake();
  /// `count` > 0 when done.
  Step read(std::span<char> into, std::size_t& count);
  /// Done: the first `count` bytes left for the kernel, encrypted.
  Step write(std::string_view bytes, std::size_t& count);
  /// Says that nothing more comes (close_notify), if the socket takes it at once.
  void finish();

  /// Bytes the peer's kernel has acknowledged, those of the handshake and of TLS itself included.
  [[nodiscard]] std::uint64_t acknowledged() const;
  /// CN of the client's certificate, which was verified in the handshake; empty: it showed none, or
  /// one without exactly one plain common name.
  [[nodiscard]] std::string client_common_name() const;
  /// Why the last step failed, in OpenSSL's words, and as a kind.
  [[nodiscard]] const std::string& failure() const { return failure_; }
  [[nodiscard]] TlsFailure failure_kind() const { return kind_; }

 private:
  Step step_of(int result);

  struct Free {
    void operator()(SSL* ssl) const;
  };
  std::unique_ptr<SSL, Free> ssl_;
  std::string failure_;
  TlsFailure kind_ = TlsFailure::other;
  bool finished_ = false;
};

}  // namespace otaria::server
