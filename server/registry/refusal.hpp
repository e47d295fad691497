#pragma once

#include <cassert>
#include <string>
#include <utility>
#include <variant>

namespace otaria::server {

/// An expected "no": what a caller may have to hear, never a fault of the server.
struct Refusal {
  std::string code;    ///< the contract's or the REST API's word, e.g. `unknown_device`
  std::string detail;  ///< a sentence with the figures
  std::string hint;    ///< what to do; may be empty
};

/// A T or a Refusal. Asking for the half that is not there is a bug (assert).
template <class T>
class [[nodiscard]] Outcome {
 public:
  Outcome(T value) : held_{std::move(value)} {}            // NOLINT: implicit by intent
  Outcome(Refusal refusal) : held_{std::move(refusal)} {}  // NOLINT
  explicit operator bool() const { return held_.index() == 0; }
  [[nodiscard]] T& value() {
    assert(held_.index() == 0);
    return *std::get_if<0>(&held_);
  }
  [[nodiscard]] const T& value() const {
    assert(held_.index() == 0);
    return *std::get_if<0>(&held_);
  }
  [[nodiscard]] const Refusal& refusal() const {
    assert(held_.index() == 1);
    return *std::get_if<1>(&held_);
  }

 private:
  std::variant<T, Refusal> held_;
};

}  // namespace otaria::server
