#pragma once

#include <cstddef>
#include <cstdint>
#include <random>
#include <span>
#include <string>
#include <vector>

namespace otaria::fuzz {

using Bytes = std::vector<std::uint8_t>;

/// Changes inputs as libFuzzer does, without knowing what the parser makes of them. The same seed
/// and calls give the same inputs on every machine.
class Mutator {
 public:
  /// `longest`: no input becomes longer, in bytes; at least 1.
  Mutator(std::uint64_t seed, std::size_t longest, std::vector<std::string> words);

  /// One of `corpus`, or nothing but a few bytes where it is empty, changed in 1 to 8 ways.
  Bytes next(std::span<const Bytes> corpus);

 private:
  using Change = void (Mutator::*)(Bytes&);

  void change(Bytes& bytes);
  void flip_bit(Bytes& bytes);
  void set_byte(Bytes& bytes);
  void insert_bytes(Bytes& bytes);
  void erase_range(Bytes& bytes);
  void repeat_range(Bytes& bytes);
  void insert_word(Bytes& bytes);
  void overwrite_word(Bytes& bytes);
  void change_number(Bytes& bytes);
  void cut(Bytes& bytes);
  void splice(Bytes& bytes, const Bytes& other);

  /// From 0 to `end` - 1; 0 for an `end` of 0.
  std::size_t below(std::size_t end) { return end == 0 ? 0 : random_() % end; }
  std::uint8_t byte() { return static_cast<std::uint8_t>(random_()); }
  void insert(Bytes& bytes, std::span<const std::uint8_t> what);

  std::mt19937_64 random_;
  std::size_t longest_;
  std::vector<std::string> words_;
};

}  // namespace otaria::fuzz
