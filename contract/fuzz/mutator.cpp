#include "contract/fuzz/mutator.hpp"

#include <algorithm>
#include <array>
#include <iterator>

namespace otaria::fuzz {
namespace {

/// Where parsers turn: ends of ranges, and the characters of JSON, headers, paths and topics.
constexpr std::array<std::uint8_t, 30> turning_bytes{
    0x00, 0x01, 0x7f, 0x80, 0xff, 0xfe, 0xe9, '\t', '\n', '\r', ' ', '"', '#', '%', '+',
    ',',  '-',  '.',  '/',  ':',  '=',  '[',  '\\', ']',  '{',  '}', '0', '9', 'A', 'z'};

/// Numbers at which widths end.
constexpr std::array turning_numbers{"0",
                                     "-1",
                                     "255",
                                     "256",
                                     "65535",
                                     "65536",
                                     "2147483647",
                                     "2147483648",
                                     "4294967295",
                                     "4294967296",
                                     "9223372036854775807",
                                     "18446744073709551616"};

constexpr std::size_t most_changes = 8;
constexpr std::size_t longest_insertion = 16;

bool is_digit(std::uint8_t character) {
  return character >= '0' && character <= '9';
}

std::span<const std::uint8_t> bytes_of(std::string_view text) {
  return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}

auto at(Bytes& bytes, std::size_t offset) {
  return bytes.begin() + static_cast<std::ptrdiff_t>(offset);
}

}  // namespace

Mutator::Mutator(std::uint64_t seed, std::size_t longest, std::vector<std::string> words)
    : random_{seed}, longest_{longest}, words_{std::move(words)} {}

Bytes Mutator::next(std::span<const Bytes> corpus) {
  Bytes bytes;
  if (!corpus.empty()) bytes = corpus[below(corpus.size())];
  if (bytes.size() > longest_) bytes.resize(longest_);
  if (corpus.size() > 1 && below(8) == 0) splice(bytes, corpus[below(corpus.size())]);
  for (std::size_t left = 1 + below(most_changes); left > 0; --left) change(bytes);
  return bytes;
}

void Mutator::change(Bytes& bytes) {
  static constexpr std::array<Change, 9> changes{&Mutator::flip_bit,
                                                 &Mutator::set_byte,
                                                 &Mutator::insert_bytes,
                                                 &Mutator::erase_range,
                                                 &Mutator::repeat_range,
                                                 &Mutator::insert_word,
                                                 &Mutator::overwrite_word,
                                                 &Mutator::change_number,
                                                 &Mutator::cut};
  if (bytes.empty()) {
    insert_bytes(bytes);
  } else {
    (this->*changes[below(changes.size())])(bytes);
  }
}

void Mutator::flip_bit(Bytes& bytes) {
  std::uint8_t& changed = bytes[below(bytes.size())];
  changed = static_cast<std::uint8_t>(changed ^ (1U << below(8)));
}

void Mutator::set_byte(Bytes& bytes) {
  bytes[below(bytes.size())] = below(2) == 0 ? byte() : turning_bytes[below(turning_bytes.size())];
}

void Mutator::insert_bytes(Bytes& bytes) {
  std::array<std::uint8_t, longest_insertion> fresh{};
  const std::size_t count = 1 + below(fresh.size());
  // Now many kinds, now many of one: runs are what counters and recursion stumble over.
  const bool run = below(2) == 0;
  const std::uint8_t repeated = turning_bytes[below(turning_bytes.size())];
  for (std::uint8_t& value : fresh) value = run ? repeated : byte();
  insert(bytes, std::span{fresh}.first(count));
}

void Mutator::erase_range(Bytes& bytes) {
  const std::size_t from = below(bytes.size());
  const std::size_t count = 1 + below(std::min(bytes.size() - from, std::size_t{64}));
  bytes.erase(at(bytes, from), at(bytes, from + count));
}

void Mutator::repeat_range(Bytes& bytes) {
  const std::size_t from = below(bytes.size());
  const std::size_t count = 1 + below(std::min(bytes.size() - from, std::size_t{256}));
  const Bytes range{at(bytes, from), at(bytes, from + count)};
  for (std::size_t times = 1 + below(4); times > 0; --times) insert(bytes, range);
}

void Mutator::insert_word(Bytes& bytes) {
  if (words_.empty()) return insert_bytes(bytes);
  insert(bytes, bytes_of(words_[below(words_.size())]));
}

void Mutator::overwrite_word(Bytes& bytes) {
  if (words_.empty()) return set_byte(bytes);
  const std::string& word = words_[below(words_.size())];
  const std::size_t from = below(bytes.size());
  const std::size_t count = std::min(word.size(), bytes.size() - from);
  std::ranges::copy(bytes_of(word).first(count), at(bytes, from));
}

void Mutator::change_number(Bytes& bytes) {
  const auto begin = std::find_if(at(bytes, below(bytes.size())), bytes.end(), is_digit);
  if (begin == bytes.end()) return set_byte(bytes);
  const auto end = std::find_if_not(begin, bytes.end(), is_digit);
  const auto number = bytes_of(turning_numbers[below(turning_numbers.size())]);
  const auto offset = static_cast<std::size_t>(begin - bytes.begin());
  bytes.erase(begin, end);
  bytes.insert(at(bytes, offset), number.begin(), number.end());
  if (bytes.size() > longest_) bytes.resize(longest_);
}

void Mutator::cut(Bytes& bytes) {
  bytes.resize(below(bytes.size()));
}

void Mutator::splice(Bytes& bytes, const Bytes& other) {
  bytes.resize(below(bytes.size() + 1));
  const std::size_t from = below(other.size());
  bytes.insert(bytes.end(), other.begin() + static_cast<std::ptrdiff_t>(from), other.end());
  if (bytes.size() > longest_) bytes.resize(longest_);
}

void Mutator::insert(Bytes& bytes, std::span<const std::uint8_t> what) {
  const auto count = std::min(what.size(), longest_ - bytes.size());
  const auto part = what.first(count);
  bytes.insert(at(bytes, below(bytes.size() + 1)), part.begin(), part.end());
}

}  // namespace otaria::fuzz
