#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>

#include "contract/trust/base64url.hpp"

/// Bytes that are read where they lie: in memory, or in a device's flash, without a copy as large
/// as they are.
namespace otaria::contract {

/// A file of known size.
class FileSource {
 public:
  [[nodiscard]] virtual std::uint32_t size() const = 0;
  /// Reads `into.size()` bytes at `offset`. False: outside the file, or the medium failed.
  virtual bool read(std::uint32_t offset, std::span<std::uint8_t> into) = 0;

 protected:
  ~FileSource() = default;
};

/// A file in memory; `bytes` must outlive it.
class MemoryFile final : public FileSource {
 public:
  explicit MemoryFile(std::span<const std::uint8_t> bytes) : bytes_{bytes} {}
  explicit MemoryFile(std::string_view text)
      : bytes_{reinterpret_cast<const std::uint8_t*>(text.data()), text.size()} {}
  [[nodiscard]] std::uint32_t size() const override {
    return static_cast<std::uint32_t>(bytes_.size());
  }
  bool read(std::uint32_t offset, std::span<std::uint8_t> into) override {
    if (offset > bytes_.size() || into.size() > bytes_.size() - offset) return false;
    if (!into.empty()) std::memcpy(into.data(), bytes_.data() + offset, into.size());
    return true;
  }

 private:
  std::span<const std::uint8_t> bytes_;
};

/// Bytes one after the other.
class ByteSource {
 public:
  static constexpr int end = -1;
  static constexpr int failed = -2;
  /// 0 to 255, or `end`, or `failed` (malformed encoding, or the medium failed); both stay.
  virtual int next() = 0;

 protected:
  ~ByteSource() = default;
};

/// The bytes of a piece of memory.
class MemoryBytes final : public ByteSource {
 public:
  explicit MemoryBytes(std::span<const std::uint8_t> bytes) : bytes_{bytes} {}
  explicit MemoryBytes(std::string_view text)
      : bytes_{reinterpret_cast<const std::uint8_t*>(text.data()), text.size()} {}
  int next() override { return at_ == bytes_.size() ? end : bytes_[at_++]; }

 private:
  std::span<const std::uint8_t> bytes_;
  std::size_t at_ = 0;
};

/// The bytes that a run of base64url characters in a file stands for. `file` must outlive it.
class Base64UrlBytes final : public ByteSource {
 public:
  Base64UrlBytes(FileSource& file, std::uint32_t offset, std::uint32_t characters)
      : file_{&file}, at_{offset}, end_{offset + characters} {}
  int next() override;

 private:
  FileSource* file_;
  std::uint32_t at_;
  std::uint32_t end_;
  Base64UrlDecoder decoder_;
  std::uint8_t window_[32]{};
  std::uint32_t window_at_ = 0;
  std::uint32_t window_bytes_ = 0;
};

}  // namespace otaria::contract
