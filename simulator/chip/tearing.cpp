#include "simulator/chip/tearing.hpp"

#include <algorithm>
#include <cassert>

namespace otaria::simulator {
namespace {

/// splitmix64: the same numbers on every host, which <random>'s distributions do not promise.
class Dice {
 public:
  explicit Dice(std::uint64_t seed) : state_{seed} {}
  std::uint64_t next() {
    std::uint64_t z = (state_ += 0x9E3779B97F4A7C15u);
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
    return z ^ (z >> 31);
  }
  std::uint64_t below(std::uint64_t limit) { return next() % limit; }
  std::uint8_t byte() { return static_cast<std::uint8_t>(next() >> 56); }

 private:
  std::uint64_t state_;
};

std::uint8_t with_some_bits_cleared(std::uint8_t cell, std::uint8_t wanted, Dice& dice) {
  const auto to_clear = static_cast<std::uint8_t>(cell & ~wanted);
  return static_cast<std::uint8_t>(cell & ~(to_clear & dice.byte()));
}

}  // namespace

void tear_program(std::span<std::uint8_t> cells,
                  std::span<const std::uint8_t> wanted,
                  std::uint64_t seed) {
  assert(cells.size() == wanted.size());
  enum { nothing, complete, prefix, prefix_and_bits, any_bits, ways };
  Dice dice{seed};
  const auto way = dice.below(ways);
  std::size_t whole = 0;
  if (way == complete || cells.empty()) whole = cells.size();
  if (way == prefix || way == prefix_and_bits) whole = dice.below(cells.size() + 1);
  for (std::size_t i = 0; i < whole; ++i) cells[i] &= wanted[i];
  if (way == prefix_and_bits && whole < cells.size()) {
    cells[whole] = with_some_bits_cleared(cells[whole], wanted[whole], dice);
  }
  if (way == any_bits) {
    for (std::size_t i = 0; i < cells.size(); ++i) {
      cells[i] = with_some_bits_cleared(cells[i], wanted[i], dice);
    }
  }
}

void tear_erase(std::span<std::uint8_t> cells, std::uint64_t seed) {
  enum { nothing, complete, leading_part, all_zero, any_bits, ways };
  Dice dice{seed};
  switch (dice.below(ways)) {
    case complete:
      std::ranges::fill(cells, std::uint8_t{0xFF});
      break;
    case leading_part:
      std::ranges::fill(cells.first(dice.below(cells.size() + 1)), std::uint8_t{0xFF});
      break;
    case all_zero:
      std::ranges::fill(cells, std::uint8_t{0});
      break;
    case any_bits:
      for (std::uint8_t& cell : cells) cell |= dice.byte();
      break;
    default:
      break;
  }
}

}  // namespace otaria::simulator
