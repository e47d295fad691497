#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstring>
#include <span>
#include <string_view>
#include <vector>

namespace otaria::server {

/// What was received and not yet used. Small in place, for 10,000 idle connections hold one each;
/// grows while a long head arrives and shrinks when it was consumed.
class HeadBuffer {
 public:
  [[nodiscard]] std::string_view view() const { return {data() + begin_, end_ - begin_}; }

  /// Room for the next read, so that no more than `limit` bytes are ever held; empty at the limit.
  std::span<char> room(std::size_t limit) {
    if (begin_ > 0) {
      std::memmove(data(), data() + begin_, end_ - begin_);
      end_ -= begin_;
      begin_ = 0;
    }
    if (end_ == capacity() && capacity() < limit) grow(limit);
    return {data() + end_, std::min(capacity(), std::max(limit, end_)) - end_};
  }
  void added(std::size_t bytes) { end_ += bytes; }

  void consume(std::size_t bytes) {
    begin_ += bytes;
    if (begin_ == end_) {
      begin_ = end_ = 0;
      if (!large_.empty()) std::vector<char>{}.swap(large_);
    }
  }

  /// Puts `bytes` in place of everything held.
  void assign(std::string_view bytes) {
    begin_ = 0;
    end_ = 0;
    if (bytes.size() > capacity()) grow(bytes.size());
    std::memcpy(data(), bytes.data(), bytes.size());
    end_ = bytes.size();
  }

 private:
  [[nodiscard]] char* data() { return large_.empty() ? small_.data() : large_.data(); }
  [[nodiscard]] const char* data() const { return large_.empty() ? small_.data() : large_.data(); }
  [[nodiscard]] std::size_t capacity() const {
    return large_.empty() ? small_.size() : large_.size();
  }
  void grow(std::size_t size) {
    std::vector<char> larger(size);
    std::memcpy(larger.data(), data(), end_);
    large_.swap(larger);
  }

  std::array<char, 1024> small_;
  std::vector<char> large_;
  std::size_t begin_ = 0;
  std::size_t end_ = 0;
};

}  // namespace otaria::server
