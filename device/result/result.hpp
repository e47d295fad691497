#pragma once

#include <cassert>
#include <cstdint>
#include <utility>
#include <variant>

#include "contract/vocabulary.hpp"

namespace otaria::device {

using contract::Fault;

/// Why something did not work. `fault` is for programs and the contract; the figures are for
/// people: what was found and what was expected or allowed (meaning given by the fault), or the
/// platform's own code.
struct Error {
  Fault fault = Fault::none;
  std::int64_t found = 0;
  std::int64_t expected = 0;
};

/// A T or an Error. Asking for the half that is not there is a bug (assert).
template <class T>
class [[nodiscard]] Result {
 public:
  constexpr Result(T value) : held_{std::move(value)} {}  // NOLINT: implicit by intent
  constexpr Result(Error error) : held_{error} {}         // NOLINT
  constexpr explicit operator bool() const { return held_.index() == 0; }
  constexpr T& value() {
    assert(held_.index() == 0);
    return *std::get_if<0>(&held_);
  }
  constexpr const T& value() const {
    assert(held_.index() == 0);
    return *std::get_if<0>(&held_);
  }
  [[nodiscard]] constexpr Error error() const {
    assert(held_.index() == 1);
    return *std::get_if<1>(&held_);
  }

 private:
  std::variant<T, Error> held_;
};

/// Success, or an Error.
class [[nodiscard]] Status {
 public:
  constexpr Status() = default;
  constexpr Status(Error error) : error_{error} {}  // NOLINT: implicit by intent
  constexpr explicit operator bool() const { return error_.fault == Fault::none; }
  [[nodiscard]] constexpr Error error() const { return error_; }

 private:
  Error error_;
};

constexpr Error flash_failed(std::int64_t platform_code, std::int64_t address) {
  return {Fault::flash_failed, platform_code, address};
}

}  // namespace otaria::device
