#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <type_traits>
#include <utility>

#include "server/http/boost_pch.hpp"
#include "server/http/server.hpp"
#include "server/http/tls_context.hpp"

namespace otaria::server {

/// A counted place among `limit`; holds one or is empty.
class Place {
 public:
  Place() = default;
  /// Empty when `limit` are taken.
  static Place take(std::atomic<std::size_t>& taken, std::size_t limit) {
    Place place;
    if (taken.fetch_add(1, std::memory_order_relaxed) < limit) {
      place.taken_ = &taken;
    } else {
      taken.fetch_sub(1, std::memory_order_relaxed);
    }
    return place;
  }
  Place(Place&& other) noexcept : taken_(std::exchange(other.taken_, nullptr)) {}
  Place& operator=(Place&& other) noexcept {
    std::swap(taken_, other.taken_);
    return *this;
  }
  ~Place() {
    if (taken_) taken_->fetch_sub(1, std::memory_order_relaxed);
  }
  explicit operator bool() const { return taken_ != nullptr; }

 private:
  std::atomic<std::size_t>* taken_ = nullptr;
};

/// What all loops and connections of one server share.
struct Shared {
  HttpConfig config;
  Handler handler;
  FileLookup files;
  std::unique_ptr<TlsContext> tls;  ///< none: plain HTTP

  std::array<std::atomic<std::uint64_t>, 6> responses{};
  std::atomic<std::uint64_t> bytes_sent{0};
  std::atomic<std::uint64_t> connections{0};
  std::atomic<std::uint64_t> connections_refused{0};
  std::atomic<std::uint64_t> downloads_refused{0};
  std::atomic<std::uint64_t> timed_out{0};
  std::array<std::atomic<std::uint64_t>, tls_failure_count> tls_failures{};  // by TlsFailure
  std::atomic<std::size_t> active_connections{0};
  std::atomic<std::size_t> active_downloads{0};
  std::atomic<std::size_t> active_uploads{0};
  std::atomic<std::size_t> active_event_streams{0};
  std::atomic<bool> stopping{false};

  std::unique_ptr<asio::thread_pool> workers;
  /// Event sources run apart: many monitors must not starve the handlers.
  std::unique_ptr<asio::thread_pool> events;
};

/// Runs `work` (which must not throw) on a pool and resumes the caller on its own loop with the
/// result.
template <class Work>
asio::awaitable<std::invoke_result_t<Work&>> run_on(asio::thread_pool& pool, Work work) {
  using Value = std::invoke_result_t<Work&>;
  return asio::async_initiate<const asio::use_awaitable_t<>, void(Value)>(
      [&pool](auto handler, Work job) {
        asio::post(pool, [handler = std::move(handler), job = std::move(job)]() mutable {
          Value value = job();
          auto executor = asio::get_associated_executor(handler);
          asio::post(executor, [handler = std::move(handler), value = std::move(value)]() mutable {
            std::move(handler)(std::move(value));
          });
        });
      },
      asio::use_awaitable,
      std::move(work));
}

}  // namespace otaria::server
